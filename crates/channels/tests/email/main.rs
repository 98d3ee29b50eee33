//! E-mail against real counterparts on this machine: Python's aiosmtpd takes what we send, its smtplib
//! sends to us, dkimpy checks our signatures; and servers of our own that misbehave.

mod hostile;
mod listening;
mod reading;
mod sending;
mod support;
