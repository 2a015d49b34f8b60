//! `POST /{phone number id}/messages`: refused, or accepted and followed by statuses.

use serde_json::{Value, json};

use super::World;
use super::check::{self, Order};
use super::ledger::{LedgerEntry, body_hash};
use super::people::Person;
use super::statuses::Accepted;
use crate::limits::{PAIRS, SCHEDULED_UPDATES};
use crate::simulator::behaviour::WindowRule;
use crate::simulator::error::GraphError;
use crate::simulator::faults::FaultKind;

/// One call as it arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) token: Option<&'a str>,
    /// The id in the path.
    pub(crate) id: &'a str,
    /// The raw body.
    pub(crate) body: &'a [u8],
}

/// What the caller gets, and after how long.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) delay_ms: u64,
    pub(crate) ending: Ending,
}

/// How a call ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    /// With an answer.
    Json(u16, Value),
    /// With an answer of somebody in between.
    Html(u16),
    /// The connection closes without an answer.
    Reset,
}

/// A call that passed every check.
struct Admitted<'a> {
    call: Call<'a>,
    account: usize,
    person: Person,
    order: Order,
    body: Value,
    category: String,
    failure: Option<GraphError>,
    /// How long it is held for quality assessment.
    held_ms: Option<i64>,
}

impl World {
    /// The whole life of one call. `Err` never leaves: it is an answer too.
    pub(crate) fn send(&mut self, now_ms: i64, call: Call<'_>) -> Reply {
        self.settle_reviews(now_ms);
        let delay_ms = self.latency_ms();
        let ending = match self.try_send(now_ms, call) {
            Ok((ending, extra_ms)) => return Reply { delay_ms: delay_ms + extra_ms, ending },
            Err(error) => {
                self.ledger.refuse(error.code);
                Ending::Json(error.http_status(), error.body())
            }
        };
        Reply { delay_ms, ending }
    }

    fn try_send(&mut self, now_ms: i64, call: Call<'_>) -> Result<(Ending, u64), GraphError> {
        let account = self.number_of(call.token, call.id)?;
        let body: Value = serde_json::from_slice(call.body)
            .map_err(|error| GraphError::new(100, format!("the body is not JSON: {error}")))?;
        if body["status"] == "read" {
            return self.receipt(&body).map(|answer| (Ending::Json(200, answer), 0));
        }
        let order = check::order(&body)?;
        let unknown_user = || GraphError::new(131_009, "recipient is not known to this business");
        let person = self.people.find(&order.recipient, self.behaviour.drops_ninth_digit);
        let person = person.ok_or_else(unknown_user)?;
        let fault = self.fault(&person.wa_id, &order.message_type);
        match fault {
            Some(FaultKind::Error(code)) => return Err(GraphError::new(code, "injected fault")),
            Some(FaultKind::Http(status)) => return Ok((Ending::Html(status), 0)),
            Some(FaultKind::ResetBefore) => return Ok((Ending::Reset, 0)),
            _ => {}
        }
        let mut admitted = self.admit(
            now_ms,
            Admitted {
                call,
                account,
                person,
                order,
                body,
                category: "service".into(),
                failure: None,
                held_ms: None,
            },
        )?;
        self.doom(now_ms, &mut admitted, fault.as_ref());
        let answer = Ending::Json(200, self.accept(now_ms, admitted));
        Ok(match fault {
            Some(FaultKind::AcceptThenReset) => (Ending::Reset, 0),
            Some(FaultKind::AcceptThenStall(stall_ms)) => (answer, stall_ms),
            _ => (answer, 0),
        })
    }

    /// What a fault makes of a message that is taken.
    fn doom(&mut self, now_ms: i64, admitted: &mut Admitted<'_>, fault: Option<&FaultKind>) {
        match fault {
            Some(FaultKind::FailedStatus(code)) => {
                admitted.failure = Some(GraphError::new(*code, "injected fault"));
            }
            Some(FaultKind::Hold(held_ms)) => self.hold(now_ms, admitted, (*held_ms, false)),
            Some(FaultKind::HoldThenDrop(held_ms)) => self.hold(now_ms, admitted, (*held_ms, true)),
            _ => {}
        }
    }

    /// Paces a template: people's feedback decides whether it is sent, or dropped and paused.
    fn hold(&mut self, now_ms: i64, admitted: &mut Admitted<'_>, (held_ms, dropped): (i64, bool)) {
        if admitted.order.message_type != "template" {
            return;
        }
        admitted.held_ms = Some(held_ms);
        if dropped {
            admitted.failure = Some(GraphError::new(132_015, "Template is paused due to low quality"));
            let name = admitted.body["template"]["name"].as_str().unwrap_or_default();
            self.judge_template_at(now_ms + held_ms, name, "PAUSED");
        }
    }

    fn receipt(&mut self, body: &Value) -> Result<Value, GraphError> {
        if !body["message_id"].is_string() {
            return Err(GraphError::missing("message_id"));
        }
        self.ledger.stats.receipts += 1;
        Ok(json!({ "success": true }))
    }

    fn fault(&mut self, to: &str, message_type: &str) -> Option<FaultKind> {
        for index in 0..self.faults.len() {
            let probability = self.faults[index].probability;
            if self.faults[index].concerns(to, message_type) && self.chance(probability) {
                let fault = &mut self.faults[index];
                fault.times = fault.times.map(|times| times - 1);
                return Some(fault.kind.clone());
            }
        }
        None
    }

    /// Everything that depends on the account: template, media, limits, window. Tokens are taken last.
    fn admit<'a>(&mut self, now_ms: i64, mut admitted: Admitted<'a>) -> Result<Admitted<'a>, GraphError> {
        let order = &admitted.order;
        let number = admitted.call.id;
        let display = self.numbers[number].number.display_phone_number.clone();
        if admitted.person.wa_id == display {
            return Err(GraphError::new(131_021, "Recipient cannot be sender"));
        }
        let content = &admitted.body[&order.message_type];
        if let Some(id) = content["id"].as_str()
            && !self.media.contains_key(id)
        {
            return Err(GraphError::new(100, format!("Param id: {id} is not a valid media attachment id")));
        }
        let is_template = order.message_type == "template";
        if is_template {
            admitted.category = self.check_template(admitted.account, content)?;
        }
        if self.schedule.len() >= SCHEDULED_UPDATES || self.people.len() >= PAIRS {
            return Err(GraphError::new(131_016, "The simulator is at its bound; see its limits"));
        }
        let open = self.pair(number, &admitted.person.wa_id).window_open(now_ms);
        if !open && !is_template && self.behaviour.window != WindowRule::Ignored {
            let details = "Message failed to send because more than 24 hours have passed since the customer \
                           last replied to this number.";
            let closed = GraphError::new(131_047, details);
            if self.behaviour.window == WindowRule::Refused {
                return Err(closed);
            }
            admitted.failure = Some(closed);
        }
        self.take_tokens(now_ms, number, &admitted.person.wa_id)?;
        Ok(admitted)
    }

    fn take_tokens(&mut self, now_ms: i64, number: &str, wa_id: &str) -> Result<(), GraphError> {
        let pair_limit = self.behaviour.pair_limit;
        if pair_limit && !self.pair(number, wa_id).debt.allows(now_ms) {
            let details = "Message failed to send because there were too many messages sent from this phone \
                           number to the same phone number in a short period of time.";
            return Err(GraphError::new(131_056, details));
        }
        let number_limit = self.behaviour.number_limit;
        let at_limit = |state: &mut super::NumberState| number_limit && !state.bucket.take(now_ms);
        if self.numbers.get_mut(number).is_some_and(at_limit) {
            return Err(GraphError::new(130_429, "Cloud API message throughput has been reached."));
        }
        self.pair(number, wa_id).debt.borrow(now_ms);
        Ok(())
    }

    fn accept(&mut self, now_ms: i64, admitted: Admitted<'_>) -> Value {
        let Admitted { call, account, person, order, body, category, failure, held_ms } = admitted;
        let wamid = self.wamid();
        self.ledger.accept(LedgerEntry {
            position: 0,
            at_ms: now_ms,
            phone_number_id: call.id.to_owned(),
            to: person.wa_id.clone(),
            message_type: order.message_type.clone(),
            opaque_id: order.opaque_id.clone(),
            wamid: wamid.clone(),
            body_sha256: body_hash(call.body),
            body,
        });
        let by_user_id = matches!(order.recipient, check::Recipient::UserId(_));
        let mut contact = json!({ "input": order.input });
        if by_user_id {
            contact["user_id"] = json!(person.user_id);
        } else {
            contact["wa_id"] = json!(person.wa_id);
        }
        let mut message = json!({ "id": wamid });
        if order.message_type == "template" {
            let told = if held_ms.is_some() { "held_for_quality_assessment" } else { "accepted" };
            message["message_status"] = json!(told);
        }
        let number = call.id.to_owned();
        let opaque_id = order.opaque_id;
        self.follow(
            now_ms + held_ms.unwrap_or(0),
            Accepted { account, number, person, by_user_id, wamid, opaque_id, category, failure },
        );
        json!({ "messaging_product": "whatsapp", "contacts": [contact], "messages": [message] })
    }
}
