//! The alarms of an etcd: `etcdserverpb.Maintenance/Alarm`, and `Auth/Authenticate` before it
//! where a user asks. The answer takes the agreement of the members, so that it tells of a
//! lost majority too.

use hyper::HeaderMap;

use super::message::{Fields, text_field};
use super::{Place, grpc};
use crate::state::ask::{Trouble, TroubleKind};
use crate::state::secret::Secret;

/// Asks for the alarms; there should be none.
pub(super) async fn alarms(
    place: Place<'_>,
    login: Option<(&str, &Secret)>,
) -> Result<String, Trouble> {
    const NO_AUTHENTICATION: &str = "authentication is not enabled";
    let mut metadata = HeaderMap::new();
    if let Some((user, password)) = login {
        let mut message = text_field(1, user);
        message.extend(text_field(2, password.expose()));
        let path = "/etcdserverpb.Auth/Authenticate";
        match grpc::call(place, path, &message, HeaderMap::new()).await {
            Ok(answer) => {
                let token = Fields(&answer).bytes(2).unwrap_or_default();
                let mut token = hyper::header::HeaderValue::from_bytes(token)
                    .map_err(|_| no_message(place))?;
                token.set_sensitive(true);
                metadata.insert("token", token);
            }
            // An etcd that asks nobody who he is needs no token.
            Err(trouble) if trouble.said.contains(NO_AUTHENTICATION) => {}
            // A wrong password is an invalid argument to it.
            Err(trouble) if trouble.said.contains("authentication failed") => {
                return Err(Trouble { kind: TroubleKind::Denied, ..trouble });
            }
            Err(trouble) => return Err(trouble),
        }
    }
    let path = "/etcdserverpb.Maintenance/Alarm";
    let answer = grpc::call(place, path, &[], metadata).await?;
    let alarms: Vec<String> = Fields(&answer).all(2).map(alarm).collect();
    if alarms.is_empty() {
        return Ok("no alarm is raised".to_owned());
    }
    let said = format!("alarms are raised: {}", alarms.join(", "));
    Err(Trouble::new(TroubleKind::Unwell, said))
}

/// Names an alarm and the member that raised it.
fn alarm(message: &[u8]) -> String {
    let member = Fields(message).number(1).unwrap_or_default();
    match Fields(message).number(2).unwrap_or_default() {
        1 => format!(
            "NOSPACE (its quota is full: it takes no writes) on member {member:x}"
        ),
        2 => format!("CORRUPT on member {member:x}"),
        other => format!("alarm {other} on member {member:x}"),
    }
}

fn no_message(place: Place<'_>) -> Trouble {
    let said = format!("port {} did not answer as an etcd does", place.port);
    Trouble::new(TroubleKind::Unwell, said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_named_with_its_member() {
        let message = [0x08, 0xab, 0x01, 0x10, 0x01];
        assert!(alarm(&message).starts_with("NOSPACE"), "{}", alarm(&message));
        assert!(alarm(&message).ends_with("member ab"), "{}", alarm(&message));
        assert_eq!(alarm(&[0x08, 0x01, 0x10, 0x02]), "CORRUPT on member 1");
        assert_eq!(alarm(&[]), "alarm 0 on member 0");
    }
}
