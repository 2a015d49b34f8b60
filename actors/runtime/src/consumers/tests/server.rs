//! A downstream system: a real HTTP server on loopback that answers by script.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) received: mpsc::UnboundedReceiver<Received>,
    /// Status line and further headers of every answer; `None` answers nothing.
    pub(super) answer: watch::Sender<Option<&'static str>>,
}

impl Server {
    pub(super) async fn start(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = watch::Sender::new(answer);
        let (sender, received) = mpsc::unbounded_channel();
        let answers = answer.subscribe();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, sender.clone(), answers.clone()));
            }
        });
        Self { address, received, answer }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }
}

async fn serve(
    mut stream: TcpStream,
    received: mpsc::UnboundedSender<Received>,
    mut answers: watch::Receiver<Option<&'static str>>,
) {
    while let Some(request) = read(&mut stream).await {
        let _ = received.send(request);
        let Ok(answer) = answers.wait_for(Option::is_some).await.map(|answer| *answer) else { return };
        let head = format!("HTTP/1.1 {}\r\ncontent-length: 0\r\n\r\n", answer.unwrap());
        if stream.write_all(head.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).unwrap();
    let headers: BTreeMap<_, _> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    let mut body = bytes[head_end + 4..].to_vec();
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { headers, body })
}
