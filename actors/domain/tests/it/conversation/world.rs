//! A tenant, a conversation and a clock, with verbs for what can happen.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::conversation::{Context, Conversation, Effects, Input, Step, Waiting, apply};
use domain::directory::TenantDirectory;
use protocol::command::{
    Action, Command, CommandKey, CommandResult, Owner, Party, Refusal, SendBody, Vacancy,
};
use protocol::content::{Category, Channel, Content, Parameter, ProviderError};
use protocol::directory::{
    Contract, Flow, Number, NumberSecrets, RecordType, Step as FlowStep, StepKind, Template, TemplateKind,
    TemplateStatus, Tenant, TenantSettings, UnknownSender,
};
use protocol::entry::{Address, Happening, Identity, InboundMessage, ProviderStatus, StatusUpdate};
use protocol::fact::{Fact, MessageStatus, NotificationKind};
use protocol::id::{FlowId, MessageId, NumberId, ProviderId, TemplateId, TenantId, UserId};
use protocol::outbound::Outcome;
use protocol::phone::{ContactKey, E164};
use protocol::shard::conversation_id;
use protocol::time::{SpanMs, TimestampMs};

/// When every test begins.
pub(crate) const START: TimestampMs = TimestampMs(1_790_000_000_000);
pub(crate) const ANNA: UserId = UserId(11);

/// One conversation in its surroundings.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) now: TimestampMs,
    pub(crate) state: Conversation,
    pub(crate) tenant: TenantDirectory,
    pub(crate) number: Number,
    counter: u32,
}

pub(crate) fn phone(text: &str) -> E164 {
    E164::parse(text).unwrap()
}

pub(crate) fn text(body: &str) -> Content {
    Content::Text { body: body.into() }
}

fn number(nickname: &str, channel: Channel) -> Number {
    Number {
        id: NumberId::derive(&[nickname.as_bytes()]),
        tenant: TenantId(1),
        nickname: nickname.into(),
        channel,
        phone: phone("+15550783881"),
        enabled: true,
        phone_number_id: None,
        waba_id: None,
        account_sid: None,
        secrets: NumberSecrets::default(),
        base_url: None,
        api_version: "v24.0".into(),
        public_url: None,
        throughput_per_second: 80,
        unknown_sender: UnknownSender { create: RecordType::Candidate, assign: Some(Owner::User(ANNA)) },
        introduced: true,
    }
}

pub(crate) fn template(name: &str, language: &str, body: &str) -> Template {
    Template {
        id: TemplateId::derive(&[name.as_bytes(), language.as_bytes()]),
        tenant: TenantId(1),
        name: name.into(),
        kind: TemplateKind::Approved,
        language: language.into(),
        category: Category::Utility,
        record_type: RecordType::Candidate,
        body: body.into(),
        status: TemplateStatus::Approved,
        reason: None,
        quality: None,
        provider_id: None,
        examples: Vec::new(),
        merge: std::collections::BTreeMap::new(),
        review: protocol::directory::Review::default(),
    }
}

pub(crate) fn question(key: &str, kind: StepKind) -> FlowStep {
    FlowStep {
        key: key.into(),
        ask: format!("{key}?"),
        kind,
        options: Vec::new(),
        optional: false,
        retry: None,
        min: None,
        max: None,
        branches: BTreeMap::new(),
    }
}

/// The flow of the example apply file: name, licence, CV.
pub(crate) fn flow(version: u32) -> Flow {
    let licence =
        FlowStep { options: vec!["Sì".into(), "No".into()], ..question("licence", StepKind::Choice) };
    let cv = FlowStep { optional: true, ..question("cv", StepKind::File) };
    Flow {
        id: FlowId::new("TEST0001"),
        tenant: TenantId(1),
        version,
        language: "it".into(),
        vacancy: Some(Vacancy { id: "vac-1".into(), title: "Magazziniere".into() }),
        steps: vec![question("name", StepKind::Text), licence, cv],
        completion: "Grazie, abbiamo ricevuto la tua candidatura.".into(),
        reminder_after_seconds: 3_600,
        reminder: None,
    }
}

fn tenant(numbers: &[&Number]) -> TenantDirectory {
    let mut templates: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for template in [
        template("interview_invite", "it", "Ciao {{1}}, ti aspettiamo il {{2}}."),
        template("hello", "en", "Hello!"),
        Template { status: TemplateStatus::Paused, ..template("paused", "it", "Ciao") },
        Template {
            kind: TemplateKind::Custom,
            ..template("thanks", "it", "Grazie {{candidate.first_name}}!")
        },
    ] {
        templates.entry(template.name.clone()).or_default().insert(template.language.clone(), template);
    }
    TenantDirectory {
        tenant: Tenant {
            id: TenantId(1),
            name: "acme".into(),
            language: "it".into(),
            time_zone: "Europe/Rome".into(),
            contract: Contract::Conversation,
            credits: None,
            settings: TenantSettings::default(),
        },
        numbers: numbers.iter().map(|number| (number.id, (*number).clone())).collect(),
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
        templates,
        flows: BTreeMap::from([(FlowId::new("TEST0001"), BTreeMap::from([(1, Arc::new(flow(1)))]))]),
        endpoints: Vec::new(),
        pauses: domain::directory::Pauses::default(),
        credit_rules: None,
        notices: BTreeMap::new(),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(ContactKey::Phone(phone("+393331234567")))
    }

    pub(crate) fn with(contact: ContactKey) -> Self {
        let main = number("main", Channel::Whatsapp);
        let second = number("second", Channel::Whatsapp);
        let sms = number("sms", Channel::Sms);
        let address = Address {
            tenant: TenantId(1),
            number: main.id,
            conversation: conversation_id(main.id, &contact),
            contact,
        };
        let tenant = tenant(&[&main, &second, &sms]);
        Self { now: START, state: Conversation::new(address), tenant, number: main, counter: 0 }
    }

    /// A conversation in direct mode with an open window.
    pub(crate) fn direct() -> Self {
        let mut world = Self::new();
        world.says("/chat");
        world.deliver_all();
        world
    }

    pub(crate) fn apply(&mut self, input: Input) -> Effects {
        let mut effects = Effects::default();
        let context = Context { now: self.now, tenant: &self.tenant, number: &self.number };
        let step = Step { input, traceparent: None, already_seen: false };
        apply(&mut self.state, &context, step, &mut effects);
        effects
    }

    pub(crate) fn happens(&mut self, happening: Happening) -> Effects {
        self.apply(Input::Happening(Box::new(happening)))
    }

    pub(crate) fn count(&mut self) -> u32 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn message(&mut self, content: Content) -> InboundMessage {
        InboundMessage {
            provider_id: ProviderId::new(format!("wamid.in.{}", self.count())),
            sent_at: self.now,
            identity: Identity {
                phone: self.state.identity.phone,
                bsuid: self.state.identity.bsuid.clone(),
                username: None,
                profile_name: Some("Anna".into()),
            },
            content,
            reply_to: None,
            forwarded: false,
            referral: None,
        }
    }

    pub(crate) fn receives(&mut self, content: Content) -> Effects {
        let message = self.message(content);
        self.happens(Happening::Received(message))
    }

    pub(crate) fn says(&mut self, body: &str) -> Effects {
        self.receives(text(body))
    }

    pub(crate) fn command_by(&mut self, by: Party, action: Action) -> Effects {
        let key = CommandKey(u128::from(self.count()));
        let expires_at = self.now + SpanMs::seconds(10);
        self.happens(Happening::Command(Command { key, fingerprint: 1, by, expires_at, action }))
    }

    pub(crate) fn command(&mut self, action: Action) -> Effects {
        self.command_by(Party::User(ANNA), action)
    }

    pub(crate) fn send(&mut self, body: &str) -> Effects {
        self.command(Action::Send(SendBody::Text { body: body.into(), reply_to: None }))
    }

    pub(crate) fn send_template(&mut self, name: &str, language: &str, values: &[&str]) -> Effects {
        let parameters = values.iter().map(|value| Parameter { name: None, text: (*value).into() }).collect();
        let (name, language) = (name.into(), language.into());
        self.command(Action::Send(SendBody::Template { name, language, parameters }))
    }

    pub(crate) fn claim(&mut self, message: MessageId) -> Effects {
        self.apply(Input::Claim { message })
    }

    pub(crate) fn outcome(&mut self, message: MessageId, outcome: Outcome) -> Effects {
        self.apply(Input::Outcome { message, outcome })
    }

    pub(crate) fn accepted(&mut self, message: MessageId, provider_id: &str) -> Effects {
        let provider_id = ProviderId::new(provider_id);
        self.outcome(message, Outcome::Accepted { provider_id, recipient: None })
    }

    pub(crate) fn rejected(&mut self, message: MessageId, code: i64) -> Effects {
        let error = ProviderError { code, title: "refused".into(), detail: None };
        self.outcome(message, Outcome::Rejected { error, retry_after_ms: None })
    }

    pub(crate) fn status(
        &mut self,
        provider_id: &str,
        ours: Option<MessageId>,
        status: ProviderStatus,
    ) -> Effects {
        let update = self.status_update(provider_id, ours, status);
        self.happens(Happening::Status(update))
    }

    pub(crate) fn status_update(
        &self,
        id: &str,
        message: Option<MessageId>,
        status: ProviderStatus,
    ) -> StatusUpdate {
        StatusUpdate {
            provider_id: ProviderId::new(id),
            message,
            status,
            at: self.now,
            pricing: None,
            errors: Vec::new(),
            identity: Identity::default(),
        }
    }

    pub(crate) fn later(&mut self, span: SpanMs) -> &mut Self {
        self.now = self.now + span;
        self
    }

    pub(crate) fn tick(&mut self) -> Effects {
        self.apply(Input::Tick)
    }

    pub(crate) fn waiting(&self) -> Option<Waiting> {
        self.state.waiting(&Context { now: self.now, tenant: &self.tenant, number: &self.number })
    }

    /// Claims and delivers whatever waits; answers what was posted.
    pub(crate) fn deliver_all(&mut self) -> Vec<Content> {
        let mut contents = Vec::new();
        while let Some(head) = self.state.queue.first() {
            let id = head.id;
            let posts = self.claim(id).posts;
            let Some(post) = posts.into_iter().next() else { break };
            contents.push(post.content);
            let provider_id = format!("wamid.out.{}", self.count());
            self.accepted(id, &provider_id);
        }
        contents
    }

    /// Texts that wait to be sent, in order.
    pub(crate) fn queued(&self) -> Vec<String> {
        self.state.queue.iter().map(|message| body(&message.content)).collect()
    }
}

/// What a person would read.
pub(crate) fn body(content: &Content) -> String {
    match content {
        Content::Text { body } | Content::Interactive { body, .. } => body.clone(),
        Content::Template(template) => template.rendered.clone(),
        other => other.kind().into(),
    }
}

/// The message that a command put into the queue.
pub(crate) fn queued_id(effects: &Effects) -> MessageId {
    match &effects.result {
        Some(CommandResult::Queued { message, .. }) => *message,
        other => panic!("not queued: {other:?}"),
    }
}

pub(crate) fn refusal(effects: &Effects) -> Refusal {
    match &effects.result {
        Some(CommandResult::Refused(refusal)) => refusal.clone(),
        other => panic!("not refused: {other:?}"),
    }
}

/// Names of the facts, in order.
pub(crate) fn names(effects: &Effects) -> Vec<&'static str> {
    effects.facts.iter().map(Fact::name).collect()
}

/// New statuses of messages, in order.
pub(crate) fn statuses(effects: &Effects) -> Vec<MessageStatus> {
    let status = |fact: &Fact| match fact {
        Fact::StatusChanged { status, .. } => Some(*status),
        _ => None,
    };
    effects.facts.iter().filter_map(status).collect()
}

/// What somebody is told, in order.
pub(crate) fn notified(effects: &Effects) -> Vec<NotificationKind> {
    let about = |fact: &Fact| match fact {
        Fact::Notify { about, .. } => Some(*about),
        _ => None,
    };
    effects.facts.iter().filter_map(about).collect()
}
