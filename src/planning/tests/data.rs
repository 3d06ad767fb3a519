//! Which folders hold data.

use crate::planning::data::data;
use crate::planning::testing::Drive;
use crate::state::ids::ServiceName;
use crate::state::observed::HostPath;

fn told(yaml: &str) -> String {
    let mut drive = Drive::settled(yaml);
    let mut observed = drive.learn();
    for path in ["/srv/etcd", "/srv/db/data", "/srv/db", "/other/data"] {
        let folder = HostPath { is_empty: false, mount: "/".to_owned() };
        observed.host_paths.insert(path.to_owned(), Some(folder));
    }
    for (name, volume) in &mut observed.volumes {
        volume.mountpoint = Some(format!("/var/lib/docker/volumes/{name}/_data"));
    }
    match data(&drive.desired, &observed) {
        Err(why) => why,
        Ok(data) => {
            let folders = data.folders.iter().map(|it| {
                let services: Vec<&str> =
                    it.services.iter().map(ServiceName::as_str).collect();
                format!(
                    "{} = {} {:?} of {}",
                    it.name,
                    it.path,
                    it.volume,
                    services.join(", ")
                )
            });
            let left_out = data.left_out.iter().map(|it| format!("without {it}"));
            folders.chain(left_out).collect::<Vec<_>>().join("\n")
        }
    }
}

#[test]
fn every_folder_and_volume_that_may_be_written_to_is_backed_up_once() {
    insta::assert_snapshot!(told(
        "services:\n  db: {image: 'db:1', volumes: ['/srv/db:/a', '/srv/db/data:/b', \
         '/other/data:/c', 'own:/d', '/anonymous', '/srv/etcd:/e:ro', '/sock:/f']}\n  \
         web: {image: 'web:1', volumes: ['/other/data:/x', 'own:/d:ro']}\n\
         volumes: {own: {}}"
    ));
}

#[test]
fn named_folders_take_the_place_of_those_that_may_be_written_to() {
    insta::assert_snapshot!(told(
        "services: {db: {image: 'db:1', volumes: ['/srv/db:/a', '/other/data:/c']}}\n\
         x-reconciler: {backup: {paths: [/srv/db/, /srv/else]}}"
    ));
}

#[test]
fn no_data_and_the_whole_system_are_refused() {
    let none = told("services: {db: {image: 'db:1'}}");
    let all =
        told("services: {db: {image: 'db:1'}}\nx-reconciler: {backup: {paths: [/]}}");
    insta::assert_snapshot!(format!("{none}\n{all}"));
}
