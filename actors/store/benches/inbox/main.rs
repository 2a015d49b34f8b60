//! How fast pages of a large inbox are found, whatever they are filtered by.
//!
//! `cargo bench -p store --bench inbox -- [CONVERSATIONS] [FOLDER]`, a million unless told otherwise. With `POSTGRES` set to
//! the address of a database it measures that one, else SQLite, in a temporary folder unless one is named. A store that
//! is not empty is measured as it is. Fails where the p99 of a question is above the budget.

mod people;
mod questions;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::command::Party;
use protocol::time::TimestampMs;
use store::engine::{FactLane, FactPosition};
use store::records::*;

use people::{Person, TENANT};

type Failure = Box<dyn std::error::Error>;

/// The p99 that a filtered page may take.
const BUDGET: Duration = Duration::from_millis(50);
/// Answers of each question that are measured: a third of them first pages, deep ones, and counts.
const TURNS: u64 = 120;
/// Answers of each question that come first and are not measured: what is asked all day is not asked of cold disks.
const WARM_UP: u64 = 30;
/// Rows of a page: what the gateway takes unless told otherwise.
const PAGE: usize = 50;
/// Conversations of a view that are counted, as the gateway does.
const COUNTED: usize = 1_000;
/// Facts of one projection, and cards of one write.
const BATCH: usize = 2_000;

async fn fill(records: &impl Records, of: u64) -> Result<(), Failure> {
    let (begun, mut done, mut waiting) = (Instant::now(), 0u64, Vec::new());
    for number in 0..of {
        waiting.extend(Person { number, of }.events()?);
        if waiting.len() >= BATCH || number + 1 == of {
            let events = std::mem::take(&mut waiting);
            let (after, count) = (FactPosition(done), events.len() as u64);
            let events = (done + 1..).zip(events).map(|(at, event)| (FactLane(0), FactPosition(at), event));
            let lanes = vec![LaneStep { lane: FactLane(0), after, through: FactPosition(done + count) }];
            records.project(FactBatch { lanes, events: events.collect() }).await?;
            done += count;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{of} conversations of {done} facts in {seconds:.0} s, {:.0} facts/s", done as f64 / seconds);
    cards(records, of).await?;
    Ok(records.sync().await.map(drop)?)
}

async fn cards(records: &impl Records, of: u64) -> Result<(), Failure> {
    let change = Change { by: Party::Gateway, at: TimestampMs(0) };
    let mut writes = Vec::new();
    for person in (0..of).map(|number| Person { number, of }) {
        let Some(card) = person.card()? else { continue };
        writes.push(DocumentWrite {
            kind: DocumentKind::Contact,
            tenant: Some(TENANT),
            id: person.key()?.contact_id(TENANT).to_string().into(),
            expect: Expect::Any,
            body: Some(serde_json::to_value(card)?),
        });
        if writes.len() >= BATCH {
            records.write_documents(change, std::mem::take(&mut writes)).await?;
        }
    }
    records.write_documents(change, writes).await?;
    Ok(())
}

/// One question of one turn: its first page, a page from deep within, or its count.
async fn ask(
    records: &impl Records,
    now: TimestampMs,
    filter: Filter,
    turn: u64,
) -> Result<Duration, Failure> {
    if turn % 3 == 2 {
        let begun = Instant::now();
        records.count(TENANT, filter, COUNTED).await?;
        return Ok(begun.elapsed());
    }
    let mut page = PageRequest::first(PAGE);
    if turn % 3 == 1 {
        let deep = TimestampMs(now.0 - (now.0 - Person::end(0).0) * (turn as i64 % 9 + 1) / 10);
        let deep = Filter::LastMessageBefore(deep);
        page.cursor = records.conversations(TENANT, deep, PageRequest::first(1)).await?.next;
    }
    let begun = Instant::now();
    records.conversations(TENANT, filter, page).await?;
    Ok(begun.elapsed())
}

/// Contacts who are named so: the first page, or one from deep within.
async fn look_for(
    records: &impl Records,
    now: TimestampMs,
    text: String,
    turn: u64,
) -> Result<Duration, Failure> {
    let mut page = PageRequest::first(PAGE);
    if !turn.is_multiple_of(3) {
        let deep = TimestampMs(now.0 - (now.0 - Person::end(0).0) * (turn as i64 % 9 + 1) / 10);
        page.cursor = Some(Cursor(format!("{}-0", deep.0).into()));
    }
    let begun = Instant::now();
    records.contacts(TENANT, Some(text), page).await?;
    Ok(begun.elapsed())
}

/// Prints a line about a question; answers whether it keeps within the budget.
fn judge(name: &str, mut times: Vec<Duration>) -> bool {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
    let ms = |part| at(part).as_secs_f64() * 1_000.0;
    let good = at(99) <= BUDGET;
    let mark = if good { "" } else { "  over the budget" };
    println!("{name:<46} {:>8.2} {:>8.2} {:>8.2}{mark}", ms(50), ms(99), ms(100));
    good
}

async fn measure(records: &impl Records, of: u64) -> Result<bool, Failure> {
    let now = Person::end(of);
    let asked = |turn| [questions::views(now, turn), questions::all(now, turn)].concat();
    println!("{:<46} {:>8} {:>8} {:>8}", "page of 50 or count, ms", "p50", "p99", "max");
    let mut good = true;
    for (place, (name, _)) in asked(0).into_iter().enumerate() {
        let mut times = Vec::new();
        for turn in 0..WARM_UP + TURNS {
            let (_, filter) = asked(turn).swap_remove(place);
            times.push(ask(records, now, filter, turn).await?);
        }
        good &= judge(name, times.split_off(WARM_UP as usize));
    }
    for (place, (name, _)) in questions::names(0).into_iter().enumerate() {
        let mut times = Vec::new();
        for turn in 0..WARM_UP + TURNS {
            let (_, text) = questions::names(turn).swap_remove(place);
            times.push(look_for(records, now, text, turn).await?);
        }
        good &= judge(&format!("contacts: {name}"), times.split_off(WARM_UP as usize));
    }
    Ok(good)
}

/// Reads all files of a folder once: a database that people use stands in the memory of its machine.
fn recall(folder: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(folder)? {
        std::io::copy(&mut std::fs::File::open(entry?.path())?, &mut std::io::sink())?;
    }
    Ok(())
}

async fn run(records: impl Records, of: u64) -> Result<bool, Failure> {
    let any = records.conversations(TENANT, Filter::All(Vec::new()), PageRequest::first(1)).await?;
    if any.data.is_empty() {
        fill(&records, of).await?;
    }
    measure(&records, of).await
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // `cargo bench` hands `--bench` on.
    let mut given = std::env::args().skip(1).filter(|text| !text.starts_with('-'));
    let of = given.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let temporary = tempfile::tempdir()?;
    let folder = given.next().map_or(temporary.path().to_owned(), PathBuf::from);
    let good = match std::env::var("POSTGRES") {
        Ok(address) => run(PostgresRecords::connect(&address).await?, of).await?,
        Err(_) => {
            let records = SqliteRecords::open(&folder)?;
            recall(&folder)?;
            run(records, of).await?
        }
    };
    if good { Ok(()) } else { Err(format!("a question takes more than {BUDGET:?}").into()) }
}
