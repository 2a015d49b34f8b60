//! What shall happen and when, decided before it begins: the load costs nothing but its sending, and afterwards it is
//! known what was meant.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, Exp1, Zipf};

use super::profile::{People, Phase, Profile};

/// Requests in the order of their times.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub(super) events: Vec<Event>,
    /// What webhooks carry, one after the other.
    pub(super) updates: Vec<Update>,
    /// Distinguishes provider ids and texts of different scripts.
    pub(super) run: u32,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Event {
    /// When, in microseconds from the beginning.
    pub(super) at_us: u64,
    /// Its phase.
    pub(super) phase: u16,
    /// The greedy tenant's own.
    pub(super) greedy: bool,
    pub(super) what: What,
}

/// What a request is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    /// A webhook to a number with messages: places in the updates.
    Messages { desk: u16, first: u32, count: u32 },
    /// One with a message that the bot answers.
    NeedingReply { desk: u16, first: u32 },
    /// A webhook with statuses.
    Statuses { desk: u16, first: u32, count: u32 },
    /// A call that sends a message to a contact.
    Call { desk: u16, contact: u32 },
    /// An earlier request once more.
    Again { event: u32 },
}

/// A part of a webhook.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Update {
    /// Somebody writes.
    Message {
        contact: u32,
        words: Words,
        /// So many seconds ago.
        late_seconds: u8,
    },
    /// A message of ours was sent, delivered or read.
    Status {
        /// Which of those of the number.
        ours: u32,
        /// See [`crate::verify::rank`].
        rank: u8,
    },
}

/// What somebody writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// Something for people.
    Chat,
    /// Asks for a person: the bot says that one will come.
    OpenChat,
    /// Ends that: the bot says so.
    CloseChat,
    /// Applies: the bot asks.
    Apply,
    /// Answers: the bot asks on.
    Name,
    /// Answers: the bot thanks.
    Town,
}

/// What one contact of the bot writes, again and again; each line is answered.
const APPLICATION: [Words; 4] = [Words::Apply, Words::Name, Words::Town, Words::CloseChat];

/// More contacts of the bot than a script has. A phone number has room for those of ninety scripts.
const REPLIERS_OF_A_RUN: u32 = 1_000_000;
/// A late message is at most so old.
const LATE_SECONDS: u8 = 30;
/// A repetition comes this much later at most.
const REPEATED_WITHIN_US: u64 = 500_000;

impl Script {
    /// Everybody opens a chat, as often as they are greeted, as fast as that is possible.
    pub(super) fn opening(people: &People, desks: usize, run: u32) -> Self {
        let mut script = Self { run, ..Self::default() };
        for round in 0..people.greetings {
            // The last words leave the chat open.
            let words = if (people.greetings - round) % 2 == 1 { Words::OpenChat } else { Words::CloseChat };
            for contact in 0..people.contacts {
                for desk in 0..desks {
                    let what = script.message(desk, contact, words, 0);
                    script.events.push(Event { at_us: 0, phase: 0, greedy: false, what });
                }
            }
        }
        script
    }

    /// The load of a profile. `ours` counts, for each number, the messages that statuses can be about.
    pub(super) fn of(profile: &Profile, ours: &[usize], run: u32) -> Self {
        let mut author = Author::new(profile, ours, run);
        let mut begins_us = 0.0;
        for (index, phase) in profile.phases.iter().enumerate() {
            author.phase(phase, u16::try_from(index).unwrap_or(u16::MAX), begins_us);
            begins_us += phase.seconds * 1e6;
        }
        // Repetitions were put behind their originals.
        let mut script = author.script;
        script.sort();
        script
    }

    fn message(&mut self, desk: usize, contact: u32, words: Words, late_seconds: u8) -> What {
        let first = self.updates.len() as u32;
        self.updates.push(Update::Message { contact, words, late_seconds });
        let desk = desk as u16;
        match words {
            Words::Chat => What::Messages { desk, first, count: 1 },
            _ => What::NeedingReply { desk, first },
        }
    }

    fn sort(&mut self) {
        let mut order: Vec<u32> = (0..self.events.len() as u32).collect();
        order.sort_by_key(|index| self.events[*index as usize].at_us);
        let mut places = vec![0; order.len()];
        for (place, index) in order.iter().enumerate() {
            places[*index as usize] = place as u32;
        }
        let moved = order.iter().map(|index| {
            let mut event = self.events[*index as usize];
            if let What::Again { event: original } = &mut event.what {
                *original = places[*original as usize];
            }
            event
        });
        self.events = moved.collect();
    }
}

/// Writes a script.
struct Author<'a> {
    profile: &'a Profile,
    script: Script,
    rng: StdRng,
    /// For each number, how many messages of ours there are, and how many of their statuses were told.
    ours: Vec<(usize, usize)>,
    /// For each number, whose turn it is to be answered.
    turns: Vec<u32>,
}

impl<'a> Author<'a> {
    fn new(profile: &'a Profile, ours: &[usize], run: u32) -> Self {
        let rng = StdRng::seed_from_u64(profile.seed ^ u64::from(run));
        let ours: Vec<_> = ours.iter().map(|count| (*count, 0)).collect();
        let turns = vec![0; ours.len()];
        Self { profile, script: Script { run, ..Script::default() }, rng, ours, turns }
    }

    /// Arrivals are independent of each other: the time between two of them is exponential. They are drawn at the
    /// highest rate of the phase, and so many of them dropped that the rate of the moment is left.
    fn phase(&mut self, phase: &Phase, index: u16, begins_us: f64) {
        let (from, to) = (phase.factor, phase.to.unwrap_or(phase.factor));
        let highest = from.max(to) + phase.greedy;
        if highest <= 0.0 {
            return;
        }
        let mut at = 0.0;
        loop {
            let gap: f64 = Exp1.sample(&mut self.rng);
            at += gap / (self.profile.rate * highest);
            if at >= phase.seconds {
                return;
            }
            let everybody = from + (to - from) * (at / phase.seconds);
            let point = self.rng.random::<f64>() * highest;
            if point >= everybody + phase.greedy {
                continue;
            }
            let greedy = point < phase.greedy;
            let at_us = (begins_us + at * 1e6) as u64;
            let what = self.what(greedy);
            let event = Event { at_us, phase: index, greedy, what };
            self.script.events.push(event);
            if self.chance(self.profile.mix.repeated) {
                self.again(event);
            }
        }
    }

    fn again(&mut self, original: Event) {
        let event = (self.script.events.len() - 1) as u32;
        let at_us = original.at_us + self.rng.random_range(1..REPEATED_WITHIN_US);
        self.script.events.push(Event { at_us, what: What::Again { event }, ..original });
    }

    fn what(&mut self, greedy: bool) -> What {
        let desk = self.desk(greedy);
        let mix = &self.profile.mix;
        if self.rng.random::<f64>() < mix.calls {
            let contact = self.rng.random_range(0..self.profile.people.contacts);
            return What::Call { desk: desk as u16, contact };
        }
        let of_statuses = mix.statuses_per_message / (1.0 + mix.statuses_per_message);
        if self.ours[desk].0 > 0 && self.chance(of_statuses) {
            return self.statuses(desk);
        }
        if self.chance(mix.needing_reply) {
            return self.needing_reply(desk);
        }
        self.messages(desk)
    }

    fn desk(&mut self, greedy: bool) -> usize {
        let People { tenants, numbers, zipf, .. } = self.profile.people;
        let tenant = if greedy { 0 } else { self.uneven(tenants as f64, zipf) };
        tenant * numbers + self.uneven(numbers as f64, zipf)
    }

    fn messages(&mut self, desk: usize) -> What {
        let first = self.script.updates.len() as u32;
        let count = self.count();
        for _ in 0..count {
            let contact = if self.chance(self.profile.mix.one_contact) {
                0
            } else {
                self.uneven(f64::from(self.profile.people.contacts), self.profile.people.zipf) as u32
            };
            let is_late = self.chance(self.profile.mix.late);
            let late_seconds = if is_late { self.rng.random_range(1..=LATE_SECONDS) } else { 0 };
            self.script.updates.push(Update::Message { contact, words: Words::Chat, late_seconds });
        }
        What::Messages { desk: desk as u16, first, count }
    }

    /// Contacts of the bot take turns, so that none has to wait for the limit of its pair, and each goes through an
    /// application. Every script has contacts of its own: it is not known how far those of another one came.
    fn needing_reply(&mut self, desk: usize) -> What {
        let People { contacts, repliers, .. } = self.profile.people;
        let turn = self.turns[desk];
        self.turns[desk] += 1;
        let words = APPLICATION[(turn / repliers) as usize % APPLICATION.len()];
        let contact = contacts + self.script.run * REPLIERS_OF_A_RUN + turn % repliers;
        self.script.message(desk, contact, words, 0)
    }

    /// All messages of a number are sent, then all delivered, then all read; when everything was told, it is told
    /// again.
    fn statuses(&mut self, desk: usize) -> What {
        let first = self.script.updates.len() as u32;
        let count = self.count();
        for _ in 0..count {
            let (all, told) = &mut self.ours[desk];
            let rank = (*told / *all % 3) as u8 + 1;
            let ours = (*told % *all) as u32;
            *told += 1;
            self.script.updates.push(Update::Status { ours, rank });
        }
        What::Statuses { desk: desk as u16, first, count }
    }

    fn count(&mut self) -> u32 {
        if self.chance(self.profile.mix.batched) {
            self.rng.random_range(1..=self.profile.mix.batch) as u32
        } else {
            1
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.rng.random::<f64>() < share
    }

    /// One of so many, the first ones oftener.
    fn uneven(&mut self, among: f64, exponent: f64) -> usize {
        // Fails only for what the profile does not allow: none to choose from, or a negative exponent.
        Zipf::new(among, exponent).map_or(0, |zipf| zipf.sample(&mut self.rng) as usize - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::profile::{Mix, Objectives, ProviderSide};

    fn profile(mix: Mix, phases: Vec<Phase>) -> Profile {
        Profile {
            summary: String::new(),
            rate: 1_000.0,
            connections: 1,
            seed: 1,
            phases,
            people: People { tenants: 3, numbers: 2, ..People::default() },
            mix,
            provider: ProviderSide::default(),
            settings: std::collections::BTreeMap::new(),
            objectives: Objectives::default(),
        }
    }

    fn phase(factor: f64, to: f64, greedy: f64) -> Phase {
        Phase { name: String::new(), seconds: 10.0, factor, to: Some(to), greedy, overload: false }
    }

    fn count(script: &Script, is_so: impl Fn(&Event) -> bool) -> usize {
        script.events.iter().filter(|event| is_so(event)).count()
    }

    #[test]
    fn arrivals_follow_the_rate_of_their_phase() {
        let script = Script::of(
            &profile(Mix::default(), vec![phase(1.0, 1.0, 0.0), phase(0.0, 2.0, 0.0)]),
            &[0; 6],
            1,
        );
        let within =
            |from: u64, to: u64| count(&script, |event| (from..to).contains(&(event.at_us / 1_000_000)));
        assert!((9_500..10_700).contains(&within(0, 10)), "{}", within(0, 10));
        assert!((9_500..10_700).contains(&within(10, 20)), "{}", within(10, 20));
        assert!(within(10, 15) * 2 < within(15, 20));
        assert!(script.events.is_sorted_by_key(|event| event.at_us));
    }

    #[test]
    fn a_repetition_comes_after_its_original() {
        let mix = Mix { repeated: 0.2, ..Mix::default() };
        let script = Script::of(&profile(mix, vec![phase(1.0, 1.0, 0.0)]), &[0; 6], 1);
        let mut seen = 0;
        for event in &script.events {
            if let What::Again { event: original } = event.what {
                let original = script.events[original as usize];
                assert!(!matches!(original.what, What::Again { .. }));
                assert!(original.at_us < event.at_us);
                seen += 1;
            }
        }
        assert!(seen > 1_000, "{seen}");
    }

    #[test]
    fn kinds_have_their_shares() {
        let mix = Mix { calls: 0.1, repeated: 0.0, ..Mix::default() };
        let script = Script::of(&profile(mix, vec![phase(1.0, 1.0, 1.0)]), &[50; 6], 1);
        let statuses = count(&script, |event| matches!(event.what, What::Statuses { .. }));
        let calls = count(&script, |event| matches!(event.what, What::Call { .. }));
        let messages = script.events.len() - statuses - calls;
        assert!((2.7..3.3).contains(&(statuses as f64 / messages as f64)), "{statuses} {messages}");
        assert!((0.08..0.12).contains(&(calls as f64 / script.events.len() as f64)));
        let greedy = count(&script, |event| event.greedy);
        assert!((0.45..0.55).contains(&(greedy as f64 / script.events.len() as f64)));
    }

    #[test]
    fn the_same_seed_is_the_same_load() {
        let of = |run| Script::of(&profile(Mix::default(), vec![phase(1.0, 1.0, 0.0)]), &[9; 6], run).events;
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
