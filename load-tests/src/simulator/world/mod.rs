//! The provider itself: a state that calls and time change. It never waits and reads no clock; whoever owns it does.

mod buckets;
mod check;
mod envelope;
mod inbound;
mod ledger;
mod media;
mod people;
mod pricing;
mod schedule;
mod send;
mod statuses;
mod template_review;
mod template_send;
mod templates;

use std::collections::{BTreeMap, HashMap};

use data_encoding::BASE64;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub(crate) use envelope::envelope;
pub use inbound::{Inbound, Say};
pub use ledger::{LedgerEntry, Stats};
pub(crate) use media::Media;
pub(crate) use schedule::Update;
pub(crate) use send::{Call, Ending};
pub(crate) use templates::TemplateFilter;

use self::buckets::NumberBucket;
use self::ledger::Ledger;
use self::people::{Pair, People};
use self::schedule::Schedule;
use self::templates::Stored;
use super::behaviour::Behaviour;
use super::error::GraphError;
use super::faults::Fault;
use super::options::{Account, Number, Options};

/// Everything that the provider knows.
pub(crate) struct World {
    pub(crate) behaviour: Behaviour,
    pub(crate) faults: Vec<Fault>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) ledger: Ledger,
    pub(crate) schedule: Schedule,
    numbers: BTreeMap<String, NumberState>,
    templates: Vec<Stored>,
    next_template_id: u64,
    /// Names of deleted templates with the time until which they are blocked.
    blocked_names: BTreeMap<(usize, String), i64>,
    /// Verdicts on templates by when they are due.
    reviews: BTreeMap<(i64, u64), String>,
    media: BTreeMap<String, Media>,
    people: People,
    pairs: HashMap<(String, String), Pair>,
    rng: StdRng,
}

/// A business number at work.
struct NumberState {
    account: usize,
    number: Number,
    bucket: NumberBucket,
    /// Year and month, and the service messages delivered in it.
    service_messages: ((i16, i8), u32),
}

/// What an id of the Graph API stands for.
pub(crate) enum Object {
    Account(usize),
    Number(String),
    Template(u64),
    Media(String),
}

impl World {
    pub(crate) fn new(options: &Options, now_ms: i64) -> Self {
        let mut world = Self {
            behaviour: options.behaviour.clone(),
            faults: options.faults.clone(),
            accounts: options.accounts.clone(),
            ledger: Ledger::default(),
            schedule: Schedule::default(),
            numbers: BTreeMap::new(),
            templates: Vec::new(),
            blocked_names: BTreeMap::new(),
            next_template_id: 900_000_000_000_000,
            reviews: BTreeMap::new(),
            media: BTreeMap::new(),
            people: People::default(),
            pairs: HashMap::new(),
            rng: StdRng::seed_from_u64(options.seed.unwrap_or_else(rand::random)),
        };
        for (index, account) in options.accounts.iter().enumerate() {
            for number in &account.numbers {
                world.add_number(index, number, now_ms);
            }
            for template in &account.templates {
                world.add_template(index, template.clone());
            }
        }
        for contact in &options.contacts {
            world.people.add(contact);
        }
        world
    }

    fn add_number(&mut self, account: usize, number: &Number, now_ms: i64) {
        let state = NumberState {
            account,
            number: number.clone(),
            bucket: NumberBucket::new(number.throughput_per_second, now_ms),
            service_messages: ((0, 0), 0),
        };
        self.numbers.insert(number.phone_number_id.clone(), state);
    }

    /// The accounts that a bearer token opens: error 190 when it opens none.
    fn account_of(&self, token: Option<&str>) -> Result<usize, GraphError> {
        let token = token.ok_or_else(GraphError::invalid_token)?;
        let owner = self.accounts.iter().position(|account| account.access_token.0 == token);
        owner.ok_or_else(GraphError::invalid_token)
    }

    /// The object of an id, when the token may see it: 190 for a bad token, 100/33 for anything unknown.
    pub(crate) fn object(&self, token: Option<&str>, id: &str) -> Result<Object, GraphError> {
        let account = self.account_of(token)?;
        // Several accounts may share one token, as one app may serve several customers.
        let same_token =
            |other: usize| self.accounts[other].access_token == self.accounts[account].access_token;
        if let Some(index) = self.accounts.iter().position(|known| known.waba_id == id)
            && same_token(index)
        {
            return Ok(Object::Account(index));
        }
        if self.numbers.get(id).is_some_and(|number| same_token(number.account)) {
            return Ok(Object::Number(id.to_owned()));
        }
        if let Ok(number) = id.parse()
            && self.template(number).is_some_and(|(owner, _)| same_token(owner))
        {
            return Ok(Object::Template(number));
        }
        if self.media.get(id).is_some_and(|media| same_token(media.account)) {
            return Ok(Object::Media(id.to_owned()));
        }
        Err(GraphError::unknown_object(id))
    }

    /// The number of an id, under the same rules.
    fn number_of(&self, token: Option<&str>, id: &str) -> Result<usize, GraphError> {
        match self.object(token, id)? {
            Object::Number(id) => Ok(self.numbers[&id].account),
            _ => Err(GraphError::unknown_object(id)),
        }
    }

    /// The account of an id, under the same rules.
    pub(crate) fn account(&self, token: Option<&str>, id: &str) -> Result<usize, GraphError> {
        match self.object(token, id)? {
            Object::Account(index) => Ok(index),
            _ => Err(GraphError::unknown_object(id)),
        }
    }

    pub(crate) fn number_json(&self, id: &str) -> serde_json::Value {
        let number = &self.numbers[id].number;
        serde_json::json!({
            "id": number.phone_number_id,
            "display_phone_number": format!("+{}", number.display_phone_number),
            "verified_name": "Simulated business",
            "quality_rating": "GREEN",
            "throughput": { "level": "STANDARD" },
        })
    }

    fn pair(&mut self, number: &str, wa_id: &str) -> &mut Pair {
        self.pairs.entry((number.to_owned(), wa_id.to_owned())).or_default()
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.random::<f64>() < probability
    }

    fn wamid(&mut self) -> String {
        format!("wamid.{}", BASE64.encode(&self.rng.random::<[u8; 24]>()))
    }

    /// How long the answer to a call takes.
    fn latency_ms(&mut self) -> u64 {
        let latency = self.behaviour.latency.clone();
        if self.chance(latency.tail_probability) {
            return latency.tail_ms;
        }
        let spread = latency.median_ms.saturating_sub(latency.min_ms) * 2;
        latency.min_ms + self.rng.random_range(0..=spread)
    }
}
