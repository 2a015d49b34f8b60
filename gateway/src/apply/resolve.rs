//! From the shape of a file to configured things: names become ids, secrets are read, references are checked.

use std::collections::BTreeSet;
use std::path::Path;

use compact_str::CompactString;
use data_encoding::HEXLOWER;
use protocol::content::{Category, Channel};
use protocol::directory::{
    ApiKey, CreditRules, Flow, Group, NoticeSettings, Number, NumberSecrets, Rate, RateCard, Review, Step,
    Template, TemplateKind, TemplateStatus, Tenant, UnknownSender, User, WebhookEndpoint,
};
use protocol::id::{FlowId, PhoneNumberId, TemplateId, TenantId, WabaId};
use sha2::{Digest, Sha256};

use super::Problem;
use super::file::{
    ApplyFile, EndpointFile, FlowFile, GroupFile, KeyFile, List, NumberFile, RateCardFile, StepFile,
    TemplateFile, TenantFile, UserFile,
};
use crate::ids;

/// What a file configures, with ids in place of names.
#[derive(Debug, Default)]
pub struct Resolved {
    /// Tenants.
    pub tenants: Vec<Tenant>,
    /// People.
    pub users: Vec<User>,
    /// How they want to be told what happens while they are away.
    pub notices: Vec<NoticeSettings>,
    /// What happens when credits run low.
    pub credit_rules: Vec<CreditRules>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Keys.
    pub keys: Vec<ApiKey>,
    /// Numbers.
    pub numbers: Vec<Number>,
    /// Templates.
    pub templates: Vec<Template>,
    /// Templates whose status the file leaves to the provider.
    pub status_left_open: BTreeSet<TemplateId>,
    /// Flows; their version is decided when they are stored.
    pub flows: Vec<Flow>,
    /// Downstream addresses.
    pub endpoints: Vec<WebhookEndpoint>,
    /// Prices.
    pub rate_cards: Vec<RateCard>,
}

/// Resolves a file; `folder` is where its `…_file` paths begin.
pub(super) fn resolve(file: ApplyFile, folder: &Path, problems: &mut Vec<Problem>) -> Resolved {
    let mut resolver = Resolver { folder, problems, out: Resolved::default() };
    let mut names = BTreeSet::new();
    for (path, tenant) in elements("tenants", file.tenants) {
        if !names.insert(tenant.name.clone()) {
            resolver.problem(format!("{path}.name"), "used by another tenant of this file; names are unique");
        }
        resolver.tenant(&path, tenant);
    }
    for (path, card) in elements("rate_cards", file.rate_cards) {
        resolver.rate_card(&path, card);
    }
    resolver.out
}

fn elements<T>(path: &str, list: List<T>) -> impl Iterator<Item = (String, T)> {
    let path = path.to_owned();
    list.into_iter()
        .enumerate()
        .filter_map(move |(index, element)| Some((format!("{path}[{index}]"), element?)))
}

/// Collects what a file configures and what is wrong with it.
pub(super) struct Resolver<'a> {
    pub(super) folder: &'a Path,
    problems: &'a mut Vec<Problem>,
    pub(super) out: Resolved,
}

/// What the parts of a tenant refer to.
pub(super) struct Scope {
    pub(super) tenant: TenantId,
    language: CompactString,
    pub(super) emails: BTreeSet<String>,
    pub(super) groups: BTreeSet<CompactString>,
}

impl Resolver<'_> {
    pub(super) fn problem(&mut self, path: impl Into<String>, detail: impl Into<String>) {
        self.problems.push(Problem::new(path, detail));
    }

    fn tenant(&mut self, path: &str, file: TenantFile) {
        let id = ids::tenant(&file.name);
        if jiff::tz::TimeZone::get(&file.time_zone).is_err() {
            self.problem(format!("{path}.time_zone"), "not a known IANA time zone such as Europe/Rome");
        }
        let scope = Scope {
            tenant: id,
            language: file.language.clone(),
            emails: file.users.iter().flatten().map(|user| user.email.to_lowercase()).collect(),
            groups: file.groups.iter().flatten().map(|group| group.name.clone()).collect(),
        };
        let credits = file.credits.and_then(|credits| self.credits(&format!("{path}.credits"), id, credits));
        self.out.tenants.push(Tenant {
            id,
            name: file.name,
            language: file.language,
            time_zone: file.time_zone,
            contract: file.contract,
            credits,
            settings: file.settings,
        });
        self.each(&format!("{path}.users"), file.users, &scope, Self::user);
        self.each(&format!("{path}.groups"), file.groups, &scope, Self::group);
        self.each(&format!("{path}.keys"), file.keys, &scope, Self::key);
        self.each(&format!("{path}.numbers"), file.numbers, &scope, Self::number);
        self.each(&format!("{path}.templates"), file.templates, &scope, Self::template);
        self.each(&format!("{path}.flows"), file.flows, &scope, Self::flow);
        self.each(&format!("{path}.webhook_endpoints"), file.webhook_endpoints, &scope, Self::endpoint);
    }

    fn each<T>(&mut self, path: &str, list: List<T>, scope: &Scope, read: fn(&mut Self, &str, T, &Scope)) {
        for (path, element) in elements(path, list) {
            read(self, &path, element, scope);
        }
    }

    fn user(&mut self, path: &str, file: UserFile, scope: &Scope) {
        if !file.email.contains('@') {
            self.problem(format!("{path}.email"), "must be an e-mail address");
        }
        let id = ids::user(scope.tenant, &file.email);
        if self.out.users.iter().any(|user| user.id == id) {
            self.problem(format!("{path}.email"), "used by another user of this tenant");
        }
        if let Some(wishes) = file.notifications {
            for problem in domain::notice::check(&wishes) {
                self.problem(format!("{path}.notifications{}", dotted(problem.pointer)), problem.detail);
            }
            self.out.notices.push(NoticeSettings { tenant: scope.tenant, user: id, wishes });
        }
        self.out.users.push(User {
            id,
            tenant: scope.tenant,
            name: file.name,
            email: file.email,
            role: file.role,
        });
    }

    fn group(&mut self, path: &str, file: GroupFile, scope: &Scope) {
        for (index, email) in file.members.iter().enumerate() {
            self.known_email(&format!("{path}.members[{index}]"), email, scope);
        }
        self.out.groups.push(Group {
            id: ids::group(scope.tenant, &file.name),
            tenant: scope.tenant,
            name: file.name,
            members: file.members.iter().map(|email| ids::user(scope.tenant, email)).collect(),
        });
    }

    fn key(&mut self, path: &str, file: KeyFile, scope: &Scope) {
        let Some(secret) = self.secret(path, "secret", file.secret, file.secret_file) else {
            if !self.problems.iter().any(|problem| problem.path.starts_with(&format!("{path}.secret"))) {
                self.problem(path, "needs `secret` or `secret_file`");
            }
            return;
        };
        if secret.len() < MIN_KEY_BYTES {
            self.problem(format!("{path}.secret"), format!("must have at least {MIN_KEY_BYTES} characters"));
            return;
        }
        if let Some(email) = &file.user {
            self.known_email(&format!("{path}.user"), email, scope);
        }
        self.out.keys.push(ApiKey {
            id: ids::key(scope.tenant, &file.name),
            tenant: scope.tenant,
            name: file.name,
            secret_sha256: HEXLOWER.encode(&Sha256::digest(secret.as_bytes())),
            hint: secret.chars().take(HINT_CHARS).collect(),
            scopes: file.scopes,
            user: file.user.map(|email| ids::user(scope.tenant, &email)),
            expires_at: None,
        });
    }

    fn number(&mut self, path: &str, mut file: NumberFile, scope: &Scope) {
        let Some(phone) = self.phone(&format!("{path}.phone"), &file.phone) else { return };
        let secrets = self.number_secrets(path, &mut file);
        if file.channel == Channel::Whatsapp {
            if file.phone_number_id.is_none() {
                self.problem(path, "a WhatsApp number needs `phone_number_id`: webhooks and sends go by it");
            }
            if secrets.app_secrets.is_empty() {
                self.problem(
                    path,
                    "a WhatsApp number needs `app_secret` or `app_secret_file`: it signs webhooks",
                );
            }
        }
        if file.throughput_per_second == 0 {
            self.problem(format!("{path}.throughput_per_second"), "must be 1 or more");
        }
        for (field, url) in [("base_url", &file.base_url), ("public_url", &file.public_url)] {
            if url.as_ref().is_some_and(|url| reqwest::Url::parse(url).is_err()) {
                self.problem(format!("{path}.{field}"), "must be a URL such as https://graph.facebook.com");
            }
        }
        let assign = file.unknown_sender.assign;
        let assign =
            assign.and_then(|owner| self.owner(&format!("{path}.unknown_sender.assign"), owner, scope));
        self.out.numbers.push(Number {
            id: ids::number(scope.tenant, file.channel, phone),
            tenant: scope.tenant,
            nickname: file.nickname,
            channel: file.channel,
            phone,
            enabled: file.enabled,
            phone_number_id: file.phone_number_id.map(PhoneNumberId::new),
            waba_id: file.waba_id.map(WabaId::new),
            account_sid: file.account_sid,
            secrets,
            base_url: file.base_url,
            api_version: file.api_version,
            public_url: file.public_url,
            throughput_per_second: file.throughput_per_second,
            unknown_sender: UnknownSender { create: file.unknown_sender.create, assign },
            introduced: false,
        });
    }

    fn number_secrets(&mut self, path: &str, file: &mut NumberFile) -> NumberSecrets {
        let mut app_secrets = std::mem::take(&mut file.app_secrets);
        let first = self.secret(path, "app_secret", file.app_secret.take(), file.app_secret_file.take());
        app_secrets.splice(0..0, first);
        let access =
            self.secret(path, "access_token", file.access_token.take(), file.access_token_file.take());
        let auth = self.secret(path, "auth_token", file.auth_token.take(), file.auth_token_file.take());
        NumberSecrets {
            app_secrets,
            verify_token: self.secret(
                path,
                "verify_token",
                file.verify_token.take(),
                file.verify_token_file.take(),
            ),
            access_token: access.or(auth),
        }
    }

    fn template(&mut self, path: &str, file: TemplateFile, scope: &Scope) {
        let approved = file.kind == TemplateKind::Approved;
        if approved && file.category.is_none() {
            self.problem(path, "an approved template needs `category`: marketing, utility or authentication");
        }
        let name_fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if approved && !file.name.bytes().all(name_fits) {
            self.problem(
                format!("{path}.name"),
                "approved names have lower case letters, digits and `_` only",
            );
        }
        let default = if approved { TemplateStatus::Pending } else { TemplateStatus::Approved };
        let id = Template::id_of(scope.tenant, &file.name, &file.language);
        if file.status.is_none() {
            self.out.status_left_open.insert(id);
        }
        self.out.templates.push(Template {
            id,
            tenant: scope.tenant,
            name: file.name,
            kind: file.kind,
            language: file.language,
            category: file.category.unwrap_or(Category::Service),
            record_type: file.record_type,
            body: file.body,
            status: file.status.unwrap_or(default),
            reason: None,
            quality: None,
            provider_id: None,
            examples: file.examples,
            merge: file.merge,
            review: Review::default(),
        });
    }

    fn flow(&mut self, path: &str, file: FlowFile, scope: &Scope) {
        let steps: Vec<Step> = file.steps.into_iter().flatten().map(step).collect();
        let flow = Flow {
            id: FlowId::new(file.id.to_uppercase()),
            tenant: scope.tenant,
            version: 1,
            language: file.language.unwrap_or_else(|| scope.language.clone()),
            vacancy: file.vacancy,
            steps,
            completion: file.completion,
            reminder_after_seconds: file.reminder_after_seconds,
            reminder: file.reminder,
        };
        for problem in domain::flow::check(&flow) {
            self.problem(format!("{path}{}", dotted(&problem.pointer)), problem.detail);
        }
        self.out.flows.push(flow);
    }

    fn endpoint(&mut self, path: &str, file: EndpointFile, scope: &Scope) {
        let secret = self.secret(path, "secret", file.secret, file.secret_file);
        if secret.as_ref().is_none_or(|secret| !secret.starts_with("whsec_")) {
            self.problem(
                format!("{path}.secret"),
                "must be `whsec_` and base64, as Standard Webhooks describe",
            );
        }
        self.out.endpoints.push(WebhookEndpoint {
            id: ids::endpoint(scope.tenant, &file.url),
            tenant: scope.tenant,
            url: file.url,
            events: file.events,
            secrets: secret.into_iter().collect(),
            enabled: true,
        });
    }

    fn rate_card(&mut self, path: &str, file: RateCardFile) {
        let Some(currency) = self.currency(&format!("{path}.currency"), &file.currency) else { return };
        let rows = file.rows.into_iter().flatten().map(|row| Rate {
            market: row.market,
            marketing: row.marketing,
            utility: row.utility,
            authentication: row.authentication,
            service: row.service,
        });
        self.out.rate_cards.push(RateCard {
            name: file.name,
            currency,
            effective_from: file.effective_from,
            rows: rows.collect(),
        });
    }
}

/// Shorter keys could be guessed.
const MIN_KEY_BYTES: usize = 16;
/// Enough for people to recognise a key, too little to use it.
const HINT_CHARS: usize = 8;

/// A JSON pointer as apply files name places: `/steps/0/key` is `.steps[0].key`.
fn dotted(pointer: &str) -> String {
    let part =
        |part: &str| if part.parse::<usize>().is_ok() { format!("[{part}]") } else { format!(".{part}") };
    pointer.split('/').skip(1).map(part).collect()
}

fn step(file: StepFile) -> Step {
    Step {
        key: file.key,
        ask: file.ask,
        kind: file.kind,
        options: file.options,
        optional: file.optional,
        retry: file.retry,
        min: file.min,
        max: file.max,
        branches: file.branches,
    }
}
