//! E-mails to a real SMTP server on loopback that answers by script.

use std::num::NonZeroU32;

use protocol::directory::{NoticeSettings, NoticeWishes};
use store::records::{Notifications as _, Reaches as _, ReadThrough};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::consumers::away::mail_teller;
use crate::consumers::follow::Follower;
use crate::consumers::notifier::Notifier;

/// Takes mails; the answer to each recipient is the next of the script, then `250`.
struct Smtp {
    url: String,
    mails: mpsc::UnboundedReceiver<(String, String)>,
}

impl Smtp {
    async fn start(script: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let (sender, mails) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut script = script.iter().copied();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = serve(stream, script.next().unwrap_or("250 fine"), &sender).await;
            }
        });
        Self { url, mails }
    }

    fn next(&mut self) -> Option<(String, String)> {
        self.mails.try_recv().ok()
    }
}

async fn serve(
    stream: TcpStream,
    to_recipient: &str,
    mails: &mpsc::UnboundedSender<(String, String)>,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 test\r\n").await?;
    let mut recipient = String::new();
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default();
        let answer = match verb {
            "RCPT" => {
                recipient.clone_from(&line);
                to_recipient
            }
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 fine",
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
        if verb == "DATA" {
            let mut text = String::new();
            while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                text.extend([&line, "\n"]);
            }
            let _ = mails.send((recipient.clone(), text));
            writer.write_all(b"250 taken\r\n").await?;
        }
    }
    Ok(())
}

/// Anna wants e-mails after five minutes; Ivo does not.
async fn world(url: &str, per_minute: u32) -> World {
    let mut world = World::new().await;
    let mail = MailSettings {
        url: url.to_owned(),
        from: "Gateway <gateway@example.com>".to_owned(),
        max_per_minute: NonZeroU32::new(per_minute).unwrap(),
        after: SpanMs::minutes(5),
    };
    world.shared.options.away =
        AwaySettings { mail: Some(mail), push: None, link: "https://gateway.example/".to_owned() };
    wish(&world, NoticeWishes { email: true, ..NoticeWishes::default() });
    world
}

fn wish(world: &World, wishes: NoticeWishes) {
    let notices = vec![NoticeSettings { tenant: ACME, user: anna(), wishes }];
    let documents = DirectoryDocuments { notices, ..documents(Vec::new()) };
    world.shared.options.directory.store(Arc::new(Directory::build(documents)));
}

/// The contact writes, to everybody.
async fn written(world: &mut World) {
    let facts = if world.batches == 0 { vec![started(), notify(None)] } else { vec![notify(None)] };
    world.commit(CHAT, facts).await;
    world.project().await;
    let notifier = Notifier { shared: world.shared.clone() };
    Follower::new(world.shared.clone(), notifier).await.unwrap().step().await.unwrap();
}

#[tokio::test]
async fn d12_who_is_away_gets_one_mail_about_what_stays_unread() {
    let mut smtp = Smtp::start(&[]).await;
    let mut world = world(&smtp.url, 60).await;
    let mut teller = mail_teller(&world.shared).unwrap().unwrap();
    written(&mut world).await;
    written(&mut world).await;
    teller.step().await.unwrap();
    assert_eq!(smtp.next(), None, "five minutes are not over");
    world.clock.set(NOON + SpanMs::minutes(5));
    teller.step().await.unwrap();
    let (to, text) = smtp.next().unwrap();
    assert!(to.contains(&format!("<{}@example.com>", anna())), "{to}");
    let (head, body) = text.split_once("\n\n").unwrap();
    assert!(head.contains("Subject: Notifiche non lette: 2\n"), "{head}");
    assert!(
        head.contains("Auto-Submitted: auto-generated\n") && head.contains("Message-ID: <dev_"),
        "{head}"
    );
    assert!(body.contains("Nuovi messaggi: 2\nConversazioni: 1\n\nhttps://gateway.example/\n"), "{body}");
    assert!(!text.contains("333"), "no part of a phone number: {text}");
    teller.step().await.unwrap();
    assert_eq!(smtp.next(), None, "told once, and Ivo did not ask for it");
    world.clock.set(NOON + SpanMs::hours(1));
    written(&mut world).await;
    teller.step().await.unwrap();
    assert!(smtp.next().unwrap().1.contains("Notifiche non lette: 1\n"), "only what is new");
}

#[tokio::test]
async fn d12_who_is_there_or_has_read_gets_no_mail() {
    let mut smtp = Smtp::start(&[]).await;
    let mut world = world(&smtp.url, 60).await;
    let mut teller = mail_teller(&world.shared).unwrap().unwrap();
    let stream = NotificationStream::new(&world.shared, ACME, anna());
    written(&mut world).await;
    for minutes in 1..=6 {
        world.clock.set(NOON + SpanMs::minutes(minutes));
        crate::consumers::away::mark_present(&world.shared).await.unwrap();
        teller.step().await.unwrap();
    }
    assert_eq!(smtp.next(), None, "a stream is open");
    drop(stream);
    world.clock.set(NOON + SpanMs::minutes(7));
    crate::consumers::away::mark_present(&world.shared).await.unwrap();
    teller.step().await.unwrap();
    assert!(smtp.next().is_some(), "she left without reading");
    written(&mut world).await;
    world.records.mark_read(ACME, anna(), ReadThrough::Seq(EventSeq(9)), NOON).await.unwrap();
    world.clock.set(NOON + SpanMs::hours(1));
    teller.step().await.unwrap();
    assert_eq!(smtp.next(), None);
}

#[tokio::test]
async fn d12_a_server_that_refuses_is_asked_again_and_a_mailbox_that_is_gone_is_not() {
    let mut smtp = Smtp::start(&["451 later", "421 busy", "550 nobody here"]).await;
    let mut world = world(&smtp.url, 60).await;
    let mut teller = mail_teller(&world.shared).unwrap().unwrap();
    written(&mut world).await;
    let mut reaches = Vec::new();
    for minutes in [5, 6, 8, 12] {
        world.clock.set(NOON + SpanMs::minutes(minutes));
        teller.step().await.unwrap();
        let later = NOON + SpanMs::hours(99);
        reaches.push(world.records.reaches_due(domain::notice::Way::Mail, later, 9).await.unwrap().pop());
    }
    let known =
        |index: usize| reaches[index].as_ref().map(|reach| (reach.attempts, reach.last_error.is_some()));
    assert_eq!([known(0), known(1), known(2), known(3)], [Some((1, true)), Some((2, true)), None, None]);
    assert_eq!(smtp.next(), None);
    written(&mut world).await;
    teller.step().await.unwrap();
    assert!(smtp.next().is_some(), "what is new is tried again");
}

#[tokio::test]
async fn d12_mails_wait_for_room_and_follow_other_wishes() {
    let mut smtp = Smtp::start(&[]).await;
    let mut world = world(&smtp.url, 1).await;
    let mut teller = mail_teller(&world.shared).unwrap().unwrap();
    for seconds in [0, 59, 60] {
        world.clock.set(NOON + SpanMs::seconds(3_600 + seconds));
        written(&mut world).await;
        teller.step().await.unwrap();
        assert_eq!(smtp.next().is_some(), seconds != 59, "one a minute");
    }
    written(&mut world).await;
    wish(&world, NoticeWishes::default());
    teller.step().await.unwrap();
    let later = NOON + SpanMs::hours(99);
    assert_eq!(world.records.reaches_due(domain::notice::Way::Mail, later, 9).await.unwrap(), []);
}
