//! One TCP or TLS connection: frames in and out, and the bind that opens it.
//!
//! What cannot be decoded costs its own answer, not the connection.

use super::settings::Connection;
use super::status;
use crate::SendError;
use futures_util::{SinkExt, StreamExt};
use rusmpp::decode::DecodeWithLength;
use rusmpp::pdus::BindTransceiver;
use rusmpp::types::COctetString;
use rusmpp::values::InterfaceVersion;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use std::str::FromStr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

/// For connecting, for each answer of the provider, and for each write.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Longest PDU; the longest that SMPP can mean is a `message_payload` of 64 KiB.
const MAX_FRAME: usize = 70_000;

/// First bit of an answer's command id.
const IS_ANSWER: u32 = 0x8000_0000;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

pub struct Link {
    frames: Framed<Box<dyn Stream>, LengthDelimitedCodec>,
    sequence: u32,
}

/// What the provider sent.
pub enum Frame {
    Command(Box<Command>),
    /// Only its head could be read.
    Unreadable {
        answer: bool,
        sequence: u32,
        status: u32,
    },
}

pub fn lost(code: &str) -> SendError {
    SendError::Unavailable { code: code.to_owned() }
}

impl Link {
    /// Connects and signs in.
    ///
    /// # Errors
    /// [`SendError`] when that does not work now, or not with these settings.
    pub async fn open(settings: &Connection, tls: Option<&TlsConnector>) -> Result<Link, SendError> {
        let stream = timeout(ANSWER_LIMIT, connect(settings, tls)).await.map_err(|_| lost("timeout"))??;
        let codec = LengthDelimitedCodec::builder().length_adjustment(-4).max_frame_length(MAX_FRAME).new_codec();
        let mut link = Link { frames: Framed::new(stream, codec), sequence: 0 };
        let bind = BindTransceiver::builder()
            .system_id(c_string(&settings.system_id))
            .password(c_string(settings.password.reveal()))
            .system_type(c_string(&settings.system_type))
            .interface_version(InterfaceVersion::Smpp3_4)
            .build();
        link.ask(bind).await?;
        match timeout(ANSWER_LIMIT, link.bound()).await {
            Ok(outcome) => outcome.map(|()| link),
            Err(_) => Err(lost("timeout")),
        }
    }

    async fn bound(&mut self) -> Result<(), SendError> {
        loop {
            let (id, status) = match self.next().await? {
                Frame::Command(command) => (command.id(), command.status()),
                Frame::Unreadable { status, .. } => (CommandId::BindTransceiverResp, CommandStatus::from(status)),
            };
            if matches!(id, CommandId::BindTransceiverResp | CommandId::GenericNack) {
                let good = status == CommandStatus::EsmeRok && id == CommandId::BindTransceiverResp;
                return if good { Ok(()) } else { Err(status::bind_error(status)) };
            }
        }
    }

    /// Sends a request; gives its sequence number.
    pub async fn ask(&mut self, pdu: impl Into<Pdu>) -> Result<u32, SendError> {
        self.sequence = if self.sequence >= 0x7fff_ffff { 1 } else { self.sequence + 1 };
        self.write(&Command::new(CommandStatus::EsmeRok, self.sequence, pdu)).await?;
        Ok(self.sequence)
    }

    pub async fn answer(&mut self, sequence: u32, status: CommandStatus, pdu: impl Into<Pdu>) -> Result<(), SendError> {
        self.write(&Command::new(status, sequence, pdu)).await
    }

    async fn write(&mut self, command: &Command) -> Result<(), SendError> {
        let mut bytes = BytesMut::new();
        rusmpp::encode::owned::Encode::encode(command, &mut bytes);
        match timeout(ANSWER_LIMIT, self.frames.send(bytes.freeze())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(lost("connection_lost")),
            Err(_) => Err(lost("timeout")),
        }
    }

    /// Can be dropped while it waits without losing anything.
    pub async fn next(&mut self) -> Result<Frame, SendError> {
        match self.frames.next().await {
            None => Err(lost("connection_lost")),
            Some(Err(error)) if error.kind() == std::io::ErrorKind::InvalidData => Err(lost("broken_answer")),
            Some(Err(_)) => Err(lost("connection_lost")),
            Some(Ok(frame)) => read(frame),
        }
    }
}

pub fn read(mut frame: BytesMut) -> Result<Frame, SendError> {
    let number = |at: usize| Some(u32::from_be_bytes(frame.get(at..at + 4)?.try_into().ok()?));
    let (Some(id), Some(status), Some(sequence)) = (number(0), number(4), number(8)) else { return Err(lost("broken_answer")) };
    let length = frame.len();
    Ok(match Command::decode(&mut frame, length) {
        Ok((command, _)) => Frame::Command(Box::new(command)),
        Err(_) => Frame::Unreadable { answer: id & IS_ANSWER != 0, sequence, status },
    })
}

async fn connect(settings: &Connection, tls: Option<&TlsConnector>) -> Result<Box<dyn Stream>, SendError> {
    let stream = TcpStream::connect((settings.host.as_str(), settings.port)).await.map_err(|_| lost("connect"))?;
    stream.set_nodelay(true).map_err(|_| lost("connect"))?;
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    let account = |code: &str| SendError::Account { code: code.to_owned() };
    let name = rustls::pki_types::ServerName::try_from(settings.host.clone()).map_err(|_| account("host"))?;
    let stream = tls.connect(name, stream).await.map_err(|error| {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
        if matches!(tls, Some(rustls::Error::InvalidCertificate(_))) { account("certificate") } else { lost("tls") }
    })?;
    Ok(Box::new(stream))
}

/// Settings and addresses were checked against the lengths of SMPP 3.4 before.
pub fn c_string<const MIN: usize, const MAX: usize>(text: &str) -> COctetString<MIN, MAX> {
    COctetString::from_str(text).unwrap_or_default()
}
