//! What the provider's answer to a POST means for the message.

use serde::Deserialize;

use crate::content::ProviderError;
use crate::id::ProviderId;
use crate::outbound::Outcome;
use crate::phone::E164;

/// Longest text of an answer that is kept for people.
const MAX_DETAIL_CHARS: usize = 300;

#[derive(Deserialize)]
struct Accepted {
    #[serde(default)]
    contacts: Vec<Recipient>,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Recipient {
    #[serde(default)]
    wa_id: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    id: String,
    /// Of templates only.
    #[serde(default)]
    message_status: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: GraphError,
}

#[derive(Deserialize)]
struct GraphError {
    code: i64,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    error_subcode: Option<i64>,
    #[serde(default)]
    error_user_msg: Option<String>,
    #[serde(default)]
    error_data: Option<ErrorData>,
}

#[derive(Deserialize)]
struct ErrorData {
    #[serde(default)]
    details: Option<String>,
}

/// One answer of the provider.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// Body as it came.
    pub body: &'a [u8],
    /// The header `Retry-After`, if there is one.
    pub retry_after: Option<&'a str>,
    /// The phone number that was written to.
    pub to: Option<E164>,
}

impl Answer<'_> {
    /// What it means. Only an answer that says so is a refusal: whatever leaves room for the message having been
    /// taken is [`Outcome::InDoubt`] and is never sent again.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.status {
            200..=299 => self.accepted(),
            _ => match serde_json::from_slice::<Refused>(self.body) {
                Ok(refused) => self.rejected(refused.error.into()),
                Err(_) => self.without_code(),
            },
        }
    }

    fn accepted(&self) -> Outcome {
        let taken = serde_json::from_slice::<Accepted>(self.body).ok();
        let Some((message, recipients)) =
            taken.and_then(|taken| Some((taken.messages.into_iter().next()?, taken.contacts)))
        else {
            return Outcome::InDoubt { detail: format!("answer {} without a message id", self.status) };
        };
        let recipient =
            recipients.first().and_then(|recipient| E164::parse(recipient.wa_id.as_deref()?).ok());
        let recipient = recipient.filter(|phone| Some(*phone) != self.to);
        let provider_id = ProviderId::new(message.id);
        match message.message_status.as_deref() {
            // By the provider's schema; `paused` is the same for a template that is paused already.
            Some("held_for_quality_assessment" | "paused") => Outcome::Held { provider_id, recipient },
            _ => Outcome::Accepted { provider_id, recipient },
        }
    }

    fn rejected(&self, error: ProviderError) -> Outcome {
        // Seconds only: a date would need a clock, and the provider does not send one.
        let seconds = self.retry_after.and_then(|text| text.trim().parse::<u32>().ok());
        Outcome::Rejected { error, retry_after_ms: seconds.map(|seconds| i64::from(seconds) * 1_000) }
    }

    /// An answer from something in between: the HTTP status is all there is, and stands for the code.
    fn without_code(&self) -> Outcome {
        let detail = String::from_utf8_lossy(self.body).chars().take(MAX_DETAIL_CHARS).collect::<String>();
        match self.status {
            // A proxy that gave up waiting, or a server that broke down on the way. 503 as well: proxies answer
            // it when the connection behind them broke after the request had gone through.
            408 | 500..=599 => Outcome::InDoubt { detail: format!("HTTP {}", self.status) },
            status => self.rejected(ProviderError {
                code: i64::from(status),
                title: format!("HTTP {status}"),
                detail: (!detail.trim().is_empty()).then_some(detail),
            }),
        }
    }
}

/// Subcodes that say more than their code: those of templates.
const SPEAKING_SUBCODES: std::ops::RangeInclusive<i64> = 2_388_000..=2_388_999;

/// The error in an answer, if it is one.
pub(super) fn graph_error(body: &[u8]) -> Option<ProviderError> {
    let refused = serde_json::from_slice::<Refused>(body).ok()?;
    let subcode = refused.error.error_subcode.filter(|subcode| SPEAKING_SUBCODES.contains(subcode));
    let error = ProviderError::from(refused.error);
    Some(ProviderError { code: subcode.unwrap_or(error.code), ..error })
}

impl From<GraphError> for ProviderError {
    fn from(error: GraphError) -> Self {
        Self {
            code: error.code,
            title: error.message.unwrap_or_default(),
            detail: error.error_data.and_then(|data| data.details).or(error.error_user_msg),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outcome(status: u16, body: &str, retry_after: Option<&str>) -> Outcome {
        let to = E164::parse("+393331234567").ok();
        Answer { status, body: body.as_bytes(), retry_after, to }.outcome()
    }

    #[test]
    fn accepted_names_the_message_and_a_rewritten_recipient() {
        let body = |wa_id: &str| {
            format!(
                r#"{{"messaging_product":"whatsapp","contacts":[{{"input":"+393331234567",{wa_id}}}],"messages":[{{"id":"wamid.1"}}]}}"#
            )
        };
        for (contact, recipient) in [
            (r#""wa_id":"393331234567""#, None),
            (r#""wa_id":"5511912345678""#, E164::parse("5511912345678").ok()),
            (r#""user_id":"IT.1""#, None),
        ] {
            let expected = Outcome::Accepted { provider_id: ProviderId::new("wamid.1"), recipient };
            assert_eq!(outcome(200, &body(contact), None), expected);
        }
    }

    #[test]
    fn d13_a_paced_template_is_held() {
        for (told, held) in [("accepted", false), ("held_for_quality_assessment", true), ("paused", true)] {
            let body = format!(r#"{{"messages":[{{"id":"wamid.1","message_status":"{told}"}}]}}"#);
            let outcome = outcome(200, &body, None);
            assert!(outcome.is_taken() && matches!(outcome, Outcome::Held { .. }) == held, "{told}");
        }
    }

    #[test]
    fn refusals_carry_code_detail_and_wish() {
        let body = r##"{"error":{"message":"(#131056) pair","type":"OAuthException","code":131056,
            "error_data":{"messaging_product":"whatsapp","details":"slow down"},"fbtrace_id":"x"}}"##;
        let expected = Outcome::Rejected {
            error: ProviderError {
                code: 131_056,
                title: "(#131056) pair".into(),
                detail: Some("slow down".into()),
            },
            retry_after_ms: Some(7_000),
        };
        assert_eq!(outcome(400, body, Some("7")), expected);
        assert!(matches!(
            outcome(500, r#"{"error":{"code":131000}}"#, Some("Fri, 20 Nov 2026 10:00:00 GMT")),
            Outcome::Rejected { error: ProviderError { code: 131_000, .. }, retry_after_ms: None }
        ));
    }

    #[test]
    fn p5_whatever_may_have_been_taken_is_in_doubt() {
        for (status, body) in [
            (200, ""),
            (200, r#"{"messages":[]}"#),
            (200, "<html>"),
            (408, ""),
            (500, "oops"),
            (502, "<html>bad gateway"),
            (503, "upstream connect error or disconnect/reset before headers"),
            (504, ""),
        ] {
            assert!(matches!(outcome(status, body, None), Outcome::InDoubt { .. }), "{status} {body}");
        }
        for status in [301, 400, 404, 413, 429] {
            let refused = outcome(status, "<html>", None);
            assert!(
                matches!(refused, Outcome::Rejected { error: ProviderError { code, .. }, .. } if code == i64::from(status))
            );
        }
    }

    proptest! {
        #[test]
        fn every_answer_has_an_outcome(status: u16, body: Vec<u8>, retry_after: Option<String>) {
            let _ = Answer { status, body: &body, retry_after: retry_after.as_deref(), to: None }.outcome();
        }
    }
}
