//! Values and references of an apply file.

use std::path::PathBuf;

use compact_str::ToCompactString;
use protocol::command::Owner;
use protocol::phone::E164;
use protocol::pricing::Currency;

use super::file::OwnerFile;
use super::resolve::{Resolver, Scope};
use crate::ids;

impl Resolver<'_> {
    pub(super) fn known_email(&mut self, path: &str, email: &str, scope: &Scope) {
        if !scope.emails.contains(&email.to_lowercase()) {
            self.problem(
                path,
                format!("no user of this tenant has the e-mail {email}; add it under `users`"),
            );
        }
    }

    pub(super) fn owner(&mut self, path: &str, owner: OwnerFile, scope: &Scope) -> Option<Owner> {
        Some(match owner {
            OwnerFile::User(email) => {
                self.known_email(&format!("{path}.user"), &email, scope);
                Owner::User(ids::user(scope.tenant, &email))
            }
            OwnerFile::Group(name) => {
                if !scope.groups.contains(&name) {
                    self.problem(
                        format!("{path}.group"),
                        format!("no group `{name}`; add it under `groups`"),
                    );
                    return None;
                }
                Owner::Group(ids::group(scope.tenant, &name))
            }
            OwnerFile::Role(name) => Owner::Role(name.into()),
        })
    }

    pub(super) fn phone(&mut self, path: &str, text: &str) -> Option<E164> {
        E164::parse(text).map_err(|error| self.problem(path, error.to_string())).ok()
    }

    pub(super) fn currency(&mut self, path: &str, code: &str) -> Option<Currency> {
        if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Some(Currency(code.to_compact_string()));
        }
        self.problem(path, "must be an ISO 4217 code in upper case, such as EUR");
        None
    }

    /// A secret from its own field or from a file. Both at once is a mistake.
    pub(super) fn secret(
        &mut self,
        path: &str,
        field: &str,
        given: Option<String>,
        file: Option<PathBuf>,
    ) -> Option<String> {
        let path = format!("{path}.{field}");
        match (given, file) {
            (Some(_), Some(_)) => {
                self.problem(path, format!("give `{field}` or `{field}_file`, not both"));
                None
            }
            (None, Some(file)) => match std::fs::read_to_string(self.folder.join(&file)) {
                Ok(text) => Some(text.trim_end().to_owned()),
                Err(error) => {
                    self.problem(
                        format!("{path}_file"),
                        format!("{} cannot be read: {error}", file.display()),
                    );
                    None
                }
            },
            (given, None) => given,
        }
    }
}
