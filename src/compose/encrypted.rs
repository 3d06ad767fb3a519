//! Which files are encrypted, and how: told by their names, and by what sops writes into
//! files of variables.

use std::path::Path;

/// How a file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encryption {
    /// By `age`, as a whole.
    Age,
    /// By `sops`, value by value, in this format.
    Sops(SopsFormat),
}

/// The formats that `sops` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SopsFormat {
    /// `NAME=value`.
    Dotenv,
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// Sections of `name = value`.
    Ini,
    /// Anything else, as a whole.
    Binary,
}

/// Tells how a file of this name is encrypted: `*.age`, `*.sops` and `*.sops.*`.
pub fn by_name(path: &Path) -> Option<Encryption> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (_, ending) = name.rsplit_once('.')?;
    match ending {
        "age" => Some(Encryption::Age),
        "sops" => Some(Encryption::Sops(format(name.trim_end_matches(".sops")))),
        _ if name.contains(".sops.") => Some(Encryption::Sops(format(&name))),
        _ => None,
    }
}

/// Tells how a file of variables is encrypted: by its name, or because it says so.
pub fn of_variables(path: &Path, bytes: &[u8]) -> Option<Encryption> {
    const MARK: &[u8] = b"sops_mac=ENC[";
    let says_so = || bytes.split(|byte| *byte == b'\n').any(|it| it.starts_with(MARK));
    by_name(path).or_else(|| says_so().then_some(Encryption::Sops(SopsFormat::Dotenv)))
}

fn format(name: &str) -> SopsFormat {
    match name.rsplit('.').next().unwrap_or_default() {
        "env" => SopsFormat::Dotenv,
        "yaml" | "yml" => SopsFormat::Yaml,
        "json" => SopsFormat::Json,
        "ini" => SopsFormat::Ini,
        _ => SopsFormat::Binary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_how_a_file_is_encrypted() {
        let sops = |format| Some(Encryption::Sops(format));
        for (name, how) in [
            ("/s/db.env.age", Some(Encryption::Age)),
            ("/s/.env.age", Some(Encryption::Age)),
            ("/s/KEY.AGE", Some(Encryption::Age)),
            ("/s/db.sops.env", sops(SopsFormat::Dotenv)),
            ("/s/.sops.env", sops(SopsFormat::Dotenv)),
            ("/s/db.env.sops", sops(SopsFormat::Dotenv)),
            ("/s/tls.sops.yaml", sops(SopsFormat::Yaml)),
            ("/s/tls.json.sops", sops(SopsFormat::Json)),
            ("/s/my.sops.ini", sops(SopsFormat::Ini)),
            ("/s/key.pem.sops", sops(SopsFormat::Binary)),
            ("/s/db.env", None),
            ("/s/storage", None),
            ("/s/image", None),
            ("/s.age/db.env", None),
            ("/", None),
        ] {
            assert_eq!(by_name(Path::new(name)), how, "{name}");
        }
    }

    #[test]
    fn variables_that_sops_encrypted_say_so_under_any_name() {
        let path = Path::new("/s/db.env");
        let sealed = b"A=ENC[x]\nsops_mac=ENC[y]\n";
        let how = Some(Encryption::Sops(SopsFormat::Dotenv));
        assert_eq!(of_variables(path, sealed), how);
        assert_eq!(of_variables(path, b"A=b\n# sops_mac=ENC[y]\n"), None);
        assert_eq!(of_variables(Path::new("/a.age"), sealed), Some(Encryption::Age));
    }
}
