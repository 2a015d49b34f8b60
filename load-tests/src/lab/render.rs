//! From an event to the bytes of its request.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::{Value, json};

use crate::client::inbound::{Receiver, Sender};
use crate::client::{SIGNATURE_HEADER, Signer};
use crate::load::Stencil;
use crate::simulator::LedgerEntry;
use crate::verify::UNIQUE_TEXT;

use super::script::{Event, Script, Update, What, Words};
use super::world::{Desk, phone};

/// A message of ours that the provider took.
#[derive(Clone, Debug)]
pub(super) struct Ours {
    pub(super) wamid: String,
    opaque_id: String,
    to: String,
}

impl From<&LedgerEntry> for Ours {
    fn from(entry: &LedgerEntry) -> Self {
        Self {
            wamid: entry.wamid.clone(),
            opaque_id: entry.opaque_id.clone().unwrap_or_default(),
            to: entry.to.clone(),
        }
    }
}

/// Fills stencils: building each body as a tree of values would cost more than all the rest.
pub(super) struct Renderer {
    desks: Vec<Wire>,
    /// Of each number.
    pub(super) ours: Vec<Vec<Ours>>,
}

/// What all requests of a script share.
#[derive(Clone, Debug, Default)]
pub(super) struct Setting {
    /// What people write who write for people.
    pub(super) chat: String,
    /// When it begins.
    pub(super) unix_seconds: i64,
}

/// What one number's requests are made of.
struct Wire {
    desk: Desk,
    signer: Signer,
    messages: Stencil,
    contact: Stencil,
    message: Stencil,
    statuses: Stencil,
    status: Stencil,
}

const PHONE: &str = "<phone>";
const ID: &str = "<id>";
const TIME: &str = "<time>";
const TEXT: &str = "<text>";
const STATUS: &str = "<status>";
const OPAQUE: &str = "<opaque>";
const CONTACTS: &str = "\"<contacts>\"";
const PARTS: &str = "\"<parts>\"";
/// A time that a stencil is cut from.
const SOME_SECONDS: i64 = 1_000_000_001;

impl Wire {
    fn new(desk: Desk) -> Self {
        let receiver = &desk.receiver;
        let sender =
            Sender { wa_id: PHONE.into(), user_id: format!("IT.{PHONE}"), name: "Anna Rossi".into() };
        let text = value(receiver.text(&sender, ID, SOME_SECONDS, TEXT));
        let mut status = value(receiver.status(&sender, ID, SOME_SECONDS, STATUS))["statuses"][0].take();
        status["biz_opaque_callback_data"] = json!(OPAQUE);
        let part = |part: &Value, holes: &[&str]| {
            Stencil::cut(&part.to_string().replace(&SOME_SECONDS.to_string(), TIME), holes)
        };
        Self {
            signer: Signer::new(desk.app_secret.as_bytes()),
            messages: envelope(receiver, json!({ "contacts": ["<contacts>"], "messages": ["<parts>"] })),
            contact: part(&text["contacts"][0], &[PHONE]),
            message: part(&text["messages"][0], &[PHONE, ID, TIME, TEXT]),
            statuses: envelope(receiver, json!({ "statuses": ["<parts>"] })),
            status: part(&status, &[PHONE, ID, TIME, STATUS, OPAQUE]),
            desk,
        }
    }
}

fn envelope(receiver: &Receiver, value: Value) -> Stencil {
    Stencil::cut(&receiver.envelope(value).to_string(), &[CONTACTS, PARTS])
}

fn value(mut webhook: Value) -> Value {
    webhook["entry"][0]["changes"][0]["value"].take()
}

/// The provider id of a message of a script.
pub(super) fn wamid(run: u32, update: u32) -> String {
    format!("wamid.{run:08x}.{update:08x}")
}

/// The text of a call of a script.
fn text_of_call(run: u32, event: usize) -> String {
    format!("{UNIQUE_TEXT} {run:08x}.{event}")
}

impl Renderer {
    pub(super) fn new(desks: Vec<Desk>) -> Self {
        let ours = vec![Vec::new(); desks.len()];
        Self { desks: desks.into_iter().map(Wire::new).collect(), ours }
    }

    /// Sorts what the provider took by number.
    pub(super) fn learn(&mut self, ledger: &[LedgerEntry]) {
        for (desk, ours) in self.desks.iter().zip(&mut self.ours) {
            let id = &desk.desk.receiver.phone_number_id;
            ours.extend(ledger.iter().filter(|entry| entry.phone_number_id == *id).map(Ours::from));
        }
    }

    /// Writes the request of an event.
    pub(super) fn write(&self, script: &Script, setting: &Setting, index: usize, out: &mut Vec<u8>) {
        let event = original(script, index);
        let Event { at_us, what, .. } = script.events[event];
        let now = setting.unix_seconds + (at_us / 1_000_000) as i64;
        out.clear();
        match what {
            What::Call { desk, contact } => self.call(usize::from(desk), contact, (script.run, event), out),
            What::Messages { desk, first, count } => {
                self.messages(script, (&setting.chat, now), (usize::from(desk), first, count), out);
            }
            What::NeedingReply { desk, first } => {
                self.messages(script, (&setting.chat, now), (usize::from(desk), first, 1), out);
            }
            What::Statuses { desk, first, count } => {
                self.statuses(script, now, (usize::from(desk), first, count), out);
            }
            // The original of a repetition is none itself.
            What::Again { .. } => {}
        }
    }

    fn messages(
        &self,
        script: &Script,
        (chat, now): (&str, i64),
        (desk, first, count): (usize, u32, u32),
        out: &mut Vec<u8>,
    ) {
        let wire = &self.desks[desk];
        let (mut contacts, mut parts) = (Vec::new(), Vec::new());
        for place in first..first + count {
            let Update::Message { contact, words, late_seconds } = script.updates[place as usize] else {
                continue;
            };
            let phone = phone(desk, contact);
            let time = (now - i64::from(late_seconds)).to_string();
            comma(&mut contacts);
            wire.contact.fill(&[&phone], &mut contacts);
            comma(&mut parts);
            let id = wamid(script.run, place);
            wire.message.fill(&[&phone, &id, &time, words.text(chat)], &mut parts);
        }
        let mut body = Vec::with_capacity(contacts.len() + parts.len() + 512);
        wire.messages.fill(&[&text(contacts), &text(parts)], &mut body);
        webhook(&wire.signer, &body, out);
    }

    fn statuses(
        &self,
        script: &Script,
        now: i64,
        (desk, first, count): (usize, u32, u32),
        out: &mut Vec<u8>,
    ) {
        let wire = &self.desks[desk];
        let mut parts = Vec::new();
        for place in first..first + count {
            let Update::Status { ours, rank } = script.updates[place as usize] else { continue };
            let ours = &self.ours[desk][ours as usize];
            let status = ["sent", "delivered", "read"][usize::from(rank) - 1];
            comma(&mut parts);
            let time = now.to_string();
            wire.status.fill(&[&ours.to, &ours.wamid, &time, status, &ours.opaque_id], &mut parts);
        }
        let mut body = Vec::with_capacity(parts.len() + 512);
        wire.statuses.fill(&["", &text(parts)], &mut body);
        webhook(&wire.signer, &body, out);
    }

    fn call(&self, desk: usize, contact: u32, (run, event): (u32, usize), out: &mut Vec<u8>) {
        let Desk { api_key, number_id, .. } = &self.desks[desk].desk;
        let text = text_of_call(run, event);
        let to = phone(desk, contact);
        let body =
            format!(r#"{{"to":"+{to}","number_id":"{number_id}","type":"text","text":{{"body":"{text}"}}}}"#);
        // Writing into memory cannot fail.
        let _ = write!(
            out,
            "POST /v1/messages HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {api_key}\r\n\
             Idempotency-Key: {text}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
    }
}

impl Words {
    fn text(self, chat: &str) -> &str {
        match self {
            Self::Chat => chat,
            Self::OpenChat => "/chat",
            Self::CloseChat => "/endchat",
            Self::Apply => "I want to apply TEST0001",
            Self::Name => "Anna Rossi",
            Self::Town => "Milano",
        }
    }
}

/// The event itself, or the one that it repeats.
pub(super) fn original(script: &Script, index: usize) -> usize {
    match script.events[index].what {
        What::Again { event } => event as usize,
        _ => index,
    }
}

fn webhook(signer: &Signer, body: &[u8], out: &mut Vec<u8>) {
    let mut head = String::with_capacity(256);
    // Writing into memory cannot fail.
    let _ = write!(
        head,
        "POST /webhooks/whatsapp HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{SIGNATURE_HEADER}: {}\r\n\r\n",
        body.len(),
        signer.sign(body)
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(body);
}

fn comma(list: &mut Vec<u8>) {
    if !list.is_empty() {
        list.push(b',');
    }
}

/// Stencils and their values are text.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renderer() -> Renderer {
        let receiver = Receiver {
            waba_id: "1".into(),
            phone_number_id: "2".into(),
            display_phone_number: "15550783881".into(),
        };
        let desk =
            Desk { receiver, app_secret: "secret".into(), api_key: "key".into(), number_id: "num_1".into() };
        let mut renderer = Renderer::new(vec![desk]);
        let ours = |wamid: &str| Ours { wamid: wamid.into(), opaque_id: "v1.x".into(), to: "39001".into() };
        renderer.ours[0] = vec![ours("wamid.A=="), ours("wamid.BB")];
        renderer
    }

    /// The body, after head and signature were checked.
    fn body(script: &Script, index: usize) -> Value {
        let mut out = Vec::new();
        let setting = Setting { chat: "ciao".into(), unix_seconds: 1_795_176_000 };
        renderer().write(script, &setting, index, &mut out);
        let mut headers = [httparse::EMPTY_HEADER; 8];
        let mut parsed = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(head) = parsed.parse(&out).unwrap() else {
            panic!("a part of a head")
        };
        let header = |name: &str| parsed.headers.iter().find(|header| header.name == name);
        let body = &out[head..];
        assert_eq!(header("Content-Length").unwrap().value, body.len().to_string().as_bytes());
        if let Some(signature) = header(SIGNATURE_HEADER) {
            assert!(Signer::new(b"secret").verifies(body, signature.value));
        }
        serde_json::from_slice(body).unwrap()
    }

    fn script(what: What) -> Script {
        let message = |contact| Update::Message { contact, words: Words::Chat, late_seconds: 2 };
        let updates = vec![
            message(7),
            message(8),
            Update::Status { ours: 1, rank: 3 },
            Update::Status { ours: 0, rank: 1 },
        ];
        let event = Event { at_us: 3_000_000, phase: 0, greedy: false, what };
        let again = Event { what: What::Again { event: 0 }, ..event };
        Script { events: vec![event, again], updates, run: 5 }
    }

    #[test]
    fn a_webhook_carries_all_its_messages_and_comes_again_as_it_was() {
        let script = script(What::Messages { desk: 0, first: 0, count: 2 });
        let webhook = body(&script, 0);
        let value = &webhook["entry"][0]["changes"][0]["value"];
        assert_eq!(value["contacts"][1]["wa_id"], "390000000008");
        assert_eq!(value["messages"][0]["from"], "390000000007");
        assert_eq!(value["messages"][0]["timestamp"], "1795176001");
        assert_eq!(value["messages"][1]["id"], wamid(5, 1));
        assert_eq!(value["messages"][1]["text"]["body"], "ciao");
        assert_eq!(body(&script, 1), webhook);
    }

    #[test]
    fn statuses_are_about_messages_of_ours() {
        let webhook = body(&script(What::Statuses { desk: 0, first: 2, count: 2 }), 0);
        let statuses = &webhook["entry"][0]["changes"][0]["value"]["statuses"];
        assert_eq!((&statuses[0]["id"], &statuses[0]["status"]), (&json!("wamid.BB"), &json!("read")));
        assert_eq!((&statuses[1]["id"], &statuses[1]["status"]), (&json!("wamid.A=="), &json!("sent")));
        assert_eq!(statuses[1]["biz_opaque_callback_data"], "v1.x");
        assert_eq!(statuses[1]["recipient_user_id"], "IT.39001");
    }

    #[test]
    fn a_call_sends_what_no_other_sends() {
        let call = body(&script(What::Call { desk: 0, contact: 9 }), 0);
        assert_eq!((&call["to"], &call["number_id"]), (&json!("+390000000009"), &json!("num_1")));
        assert!(call["text"]["body"].as_str().unwrap().starts_with(UNIQUE_TEXT));
    }
}
