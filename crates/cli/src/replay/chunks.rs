//! Big pieces of a stream, cut at line ends, without a copy per line.

use std::io::{self, Read};

/// Bytes read at once: few enough to be in the processor's second-level cache still when they are parsed.
const CHUNK_BYTES: usize = 1 << 17;
/// Longest line; a longer one is passed over and reported.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// Reads a stream in chunks of whole lines.
pub struct Chunks<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Bytes in the buffer.
    filled: usize,
    /// Bytes at the front of the buffer that were handed out already.
    given: usize,
    at_end: bool,
}

/// What a stream holds next.
#[derive(Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// Whole lines with their line ends; the last line of a stream may be without.
    Lines(&'a [u8]),
    /// One line above [`LINE_BYTES_MAX`] was passed over.
    TooLong,
}

impl<R: Read> Chunks<R> {
    pub fn new(reader: R) -> Chunks<R> {
        Chunks { reader, buffer: vec![0; CHUNK_BYTES], filled: 0, given: 0, at_end: false }
    }

    /// The next whole lines; `None` at the end.
    ///
    /// # Errors
    /// The stream's.
    pub fn next(&mut self) -> io::Result<Option<Chunk<'_>>> {
        self.buffer.copy_within(self.given..self.filled, 0);
        self.filled -= self.given;
        self.given = 0;
        let mut searched = 0;
        loop {
            if self.filled < self.buffer.len() && !self.at_end {
                self.fill()?;
            }
            if let Some(end) = memchr::memrchr(b'\n', &self.buffer[searched..self.filled]) {
                self.given = searched + end + 1;
                return Ok(Some(Chunk::Lines(&self.buffer[..self.given])));
            }
            searched = self.filled;
            if self.at_end {
                self.given = self.filled;
                return Ok((self.filled > 0).then_some(Chunk::Lines(&self.buffer[..self.filled])));
            }
            if self.filled >= LINE_BYTES_MAX {
                self.pass_over_line()?;
                return Ok(Some(Chunk::TooLong));
            }
            if self.filled == self.buffer.len() {
                self.buffer.resize((self.buffer.len() * 2).min(LINE_BYTES_MAX), 0);
            }
        }
    }

    /// Reads until the buffer is full or the stream ends.
    fn fill(&mut self) -> io::Result<()> {
        while self.filled < self.buffer.len() {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(bytes) => self.filled += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn pass_over_line(&mut self) -> io::Result<()> {
        loop {
            self.filled = 0;
            self.fill()?;
            if let Some(end) = memchr::memchr(b'\n', &self.buffer[..self.filled]) {
                self.given = end + 1;
                return Ok(());
            }
            if self.at_end {
                self.given = self.filled;
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out at most three bytes at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let bytes = self.0.len().min(buffer.len()).min(3);
            buffer[..bytes].copy_from_slice(&self.0[..bytes]);
            self.0 = &self.0[bytes..];
            Ok(bytes)
        }
    }

    #[test]
    fn lines_come_whole_whatever_the_reader_gives() {
        for text in ["", "a", "a\n", "a\nbcdefgh\n\nij", "äöü\nx\n"] {
            let mut chunks = Chunks::new(Slow(text.as_bytes()));
            let mut found = Vec::new();
            while let Some(chunk) = chunks.next().expect("memory can be read") {
                match chunk {
                    Chunk::Lines(lines) => found.extend_from_slice(lines),
                    Chunk::TooLong => panic!("no line is long"),
                }
            }
            assert_eq!(found, text.as_bytes());
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_the_next_one_read() {
        let mut text = vec![b'x'; LINE_BYTES_MAX + 5];
        text.extend_from_slice(b"\nnext\n");
        let mut chunks = Chunks::new(text.as_slice());
        assert_eq!(chunks.next().expect("memory can be read"), Some(Chunk::TooLong));
        assert_eq!(chunks.next().expect("memory can be read"), Some(Chunk::Lines(b"next\n")));
        assert_eq!(chunks.next().expect("memory can be read"), None);
    }

    #[test]
    fn lines_longer_than_a_chunk_are_read() {
        let mut text = vec![b'x'; CHUNK_BYTES * 3];
        text.extend_from_slice(b"\nnext");
        let mut chunks = Chunks::new(text.as_slice());
        let mut bytes = 0;
        while let Some(Chunk::Lines(lines)) = chunks.next().expect("memory can be read") {
            bytes += lines.len();
        }
        assert_eq!(bytes, text.len());
    }
}
