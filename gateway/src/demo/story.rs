//! Candidates that apply, one that is lost and asks for a person, and one whose window closed.

use std::time::Duration;

use data_encoding::BASE64;
use load_tests::simulator::{Handle, Inbound, Say};
use protocol::id::NumberId;
use serde_json::{Value, json};

use super::KEY;

/// How often the provider's ledger is looked at while a reply is awaited.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Looks before the story goes on without the reply: 10 s.
const LOOKS: usize = 200;
/// People do not type faster.
const TYPING: Duration = Duration::from_millis(400);
/// A message of yesterday: its window is closed.
const YESTERDAY_MS: i64 = 25 * 3_600 * 1_000;

/// Plays the candidates against a running demo and tells what happens.
pub struct Story<'a> {
    provider: &'a Handle,
    number: Option<NumberId>,
    api: reqwest::Client,
    base: String,
    audience: &'a dyn Fn(&str),
}

type Told = Result<(), Box<dyn std::error::Error>>;

impl<'a> Story<'a> {
    /// A story for the gateway at `base`, such as `http://127.0.0.1:8080`; the audience hears each step.
    #[must_use]
    pub fn new(
        provider: &'a Handle,
        number: Option<NumberId>,
        base: String,
        audience: &'a dyn Fn(&str),
    ) -> Self {
        Self { provider, number, api: reqwest::Client::new(), base, audience }
    }

    /// Plays it once.
    ///
    /// # Errors
    /// When the provider or the gateway does not play along.
    pub async fn play(&self) -> Told {
        self.giulia_applies().await?;
        self.marco_is_lost().await?;
        self.sara_wrote_yesterday().await?;
        self.bill().await
    }

    async fn giulia_applies(&self) -> Told {
        let phone = "+393331234567";
        self.says(phone, "Giulia Verdi", Say::Text("Ciao, vorrei candidarmi TEST0001".into())).await?;
        self.says(phone, "Giulia Verdi", Say::Text("Giulia Verdi".into())).await?;
        self.says(phone, "Giulia Verdi", Say::Text("Sì".into())).await?;
        let cv = Say::Media {
            kind: "document".into(),
            mime_type: "application/pdf".into(),
            filename: Some("cv.pdf".into()),
            caption: None,
            content: BASE64.encode(b"%PDF-1.4\n% a very short CV\n"),
        };
        self.says(phone, "Giulia Verdi", cv).await?;
        self.tell("Giulia's application is complete; her conversation is in direct mode now");
        Ok(())
    }

    async fn marco_is_lost(&self) -> Told {
        let phone = "+393401112233";
        self.says(phone, "Marco Neri", Say::Text("Buongiorno, avete lavoro?".into())).await?;
        self.says(phone, "Marco Neri", Say::Text("/chat".into())).await
    }

    async fn sara_wrote_yesterday(&self) -> Told {
        let phone = "+393479998877";
        let yesterday = Inbound {
            name: Some("Sara Blu".into()),
            age_ms: YESTERDAY_MS,
            ..Inbound::text(phone, "TEST0001")
        };
        self.provider.inbound(yesterday)?;
        self.tell("Sara wrote yesterday: her 24-hour window is closed");
        tokio::time::sleep(TYPING).await;
        let text = json!({ "number_id": self.number, "to": phone, "type": "text", "text": { "body": "Ciao Sara, sei ancora interessata?" } });
        let (status, refused) = self.post(&text).await?;
        self.tell(&format!("a free text to Sara: {status}, code {}", refused["code"]));
        let invite = json!({ "number_id": self.number, "to": phone, "type": "template", "template": {
            "name": "interview_invite", "language": "it", "parameters": ["Sara", "martedì alle 10"] } });
        let before = self.heard(phone);
        let (status, _) = self.post(&invite).await?;
        self.tell(&format!("the approved template interview_invite to Sara: {status}"));
        self.reply(phone, before).await;
        self.says(phone, "Sara Blu", Say::Text("Sì, volentieri!".into())).await?;
        self.tell("Sara answered: her window is open again");
        let (status, _) = self.post(&text).await?;
        self.tell(&format!("the same free text to Sara: {status}"));
        Ok(())
    }

    async fn bill(&self) -> Told {
        tokio::time::sleep(TYPING).await;
        let ledger = self.api.get(format!("{}/v1/billing/ledger", self.base)).bearer_auth(KEY);
        let ledger: Value = serde_json::from_str(&ledger.send().await?.text().await?)?;
        for charge in ledger["data"].as_array().into_iter().flatten().take(3) {
            let (money, why) = (&charge["charge"], charge["explanation"].as_str().unwrap_or_default());
            let amount = money["amount"].as_str().unwrap_or_default();
            let currency = money["currency"].as_str().unwrap_or_default();
            self.tell(&format!("bill: {amount} {currency}, {why}"));
        }
        Ok(())
    }

    /// A contact writes and waits for what comes back.
    async fn says(&self, phone: &str, name: &str, say: Say) -> Told {
        let before = self.heard(phone);
        if let Say::Text(text) = &say {
            self.tell(&format!("{name}: {text}"));
        } else {
            self.tell(&format!("{name} sends a file"));
        }
        self.provider.inbound(Inbound { name: Some(name.into()), ..Inbound::new(phone, say) })?;
        self.reply(phone, before).await;
        tokio::time::sleep(TYPING).await;
        Ok(())
    }

    async fn reply(&self, phone: &str, before: usize) {
        for _ in 0..LOOKS {
            if self.heard(phone) > before {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.tell(&format!("nothing came back to {phone}"));
    }

    /// Messages that the provider accepted for this contact.
    fn heard(&self, phone: &str) -> usize {
        let digits = phone.trim_start_matches('+');
        self.provider.ledger().iter().filter(|entry| entry.to == digits).count()
    }

    async fn post(&self, message: &Value) -> Result<(u16, Value), Box<dyn std::error::Error>> {
        let request = self.api.post(format!("{}/v1/messages", self.base)).bearer_auth(KEY).json(message);
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        Ok((status, serde_json::from_str(&answer.text().await?)?))
    }

    fn tell(&self, what: &str) {
        (self.audience)(what);
    }
}
