//! Bytes of an SMTP connection, in clear or encrypted, for both ends: lines with a length limit, and a
//! deadline for every wait.

use std::future::Future;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Why nothing more can be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    Timeout,
    Closed,
    TooLong,
}

pub struct Wire {
    io: Box<dyn Stream>,
    /// Read and not used yet.
    buffer: Vec<u8>,
}

impl Wire {
    pub fn new(io: Box<dyn Stream>) -> Wire {
        Wire { io, buffer: Vec::new() }
    }

    /// The stream alone, to encrypt it. `None` when bytes came in clear that an attacker wants taken as encrypted.
    pub fn into_inner(self) -> Option<Box<dyn Stream>> {
        self.buffer.is_empty().then_some(self.io)
    }

    /// # Errors
    /// [`Broken`], [`Broken::TooLong`] for a line of more than `length_max` bytes.
    pub async fn read_line(&mut self, length_max: usize, deadline: Instant) -> Result<Vec<u8>, Broken> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n').map(|end| searched + end) {
                return if end > length_max { Err(Broken::TooLong) } else { Ok(self.buffer.drain(..=end).collect()) };
            }
            searched = self.buffer.len();
            if searched > length_max {
                return Err(Broken::TooLong);
            }
            self.fill(deadline).await?;
        }
    }

    /// Some bytes, at least one; `use_up` says how many of them are done with.
    ///
    /// # Errors
    /// [`Broken`].
    pub async fn read_some(&mut self, deadline: Instant) -> Result<&[u8], Broken> {
        if self.buffer.is_empty() {
            self.fill(deadline).await?;
        }
        Ok(&self.buffer)
    }

    pub fn use_up(&mut self, count: usize) {
        self.buffer.drain(..count.min(self.buffer.len()));
    }

    /// # Errors
    /// [`Broken`]; then some byte did not leave us.
    pub async fn write(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), Broken> {
        let io = &mut self.io;
        within(deadline, async {
            io.write_all(bytes).await?;
            io.flush().await
        })
        .await
    }

    /// Ends the connection; whether the other side notices does not matter.
    pub async fn close(&mut self, deadline: Instant) {
        let _ = within(deadline, self.io.shutdown()).await;
    }

    async fn fill(&mut self, deadline: Instant) -> Result<(), Broken> {
        let mut chunk = [0; 16 * 1024];
        match within(deadline, self.io.read(&mut chunk)).await? {
            0 => Err(Broken::Closed),
            count => {
                self.buffer.extend_from_slice(&chunk[..count]);
                Ok(())
            }
        }
    }
}

async fn within<T>(deadline: Instant, work: impl Future<Output = io::Result<T>>) -> Result<T, Broken> {
    match timeout_at(deadline, work).await {
        Err(_) => Err(Broken::Timeout),
        Ok(Err(_)) => Err(Broken::Closed),
        Ok(Ok(value)) => Ok(value),
    }
}
