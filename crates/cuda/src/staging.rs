//! Memory of the host that the device copies from and to: a ring of a few pieces, each of which is filled while those
//! before it are copied. So a lane holds no more of it than the ring, however much goes up or down, and the processor
//! copies while the device does.
//!
//! A piece is used again when the device is done with it; what came down in it goes to its place then.

use crate::lane::event;
use crate::library::{Driver, Failure, call};
use crate::opened::Opened;
use crate::symbols::{Address, Event, NOT_READY, Stream, UNTIMED};
use crate::waiting::{Waited, wait};
use std::ptr::NonNull;
use vyre_driver::Cancel;

/// Bytes of a piece: enough that the costs of a copy do not matter, few enough that the first piece is soon full.
pub const PIECE: usize = 2 << 20;

/// Pieces of a ring.
const PIECES: usize = 6;

/// Places within a piece are multiples of this.
const GRAIN: usize = 16;

/// A ring of pieces.
#[derive(Default)]
pub struct Staging {
    pieces: Vec<Piece>,
    current: usize,
}

struct Piece {
    host: NonNull<u8>,
    /// Bytes that are taken.
    used: usize,
    /// Is done when the device is done with the piece, if it is `full`.
    event: Event,
    full: bool,
    landings: Vec<Landing>,
}

// SAFETY: the memory is the piece's alone, and which thread uses it is of no matter.
unsafe impl Send for Piece {}

/// Bytes that came down, and where they belong.
#[derive(Copy, Clone)]
pub struct Landing {
    /// Which of the submission's reads.
    pub read: usize,
    /// From which of its bytes on.
    pub start: usize,
    pub bytes: usize,
    /// Where they are in the piece.
    at: usize,
}

/// What takes bytes that came down.
pub type Land<'l> = &'l mut dyn FnMut(Landing, &[u8]);

/// What a ring works for.
pub struct Turn<'t> {
    pub opened: &'t Opened,
    pub stream: Stream,
    pub cancel: &'t Cancel,
}

impl Staging {
    /// Copies up to [`PIECE`] bytes to the device.
    pub fn up(
        &mut self,
        turn: &Turn<'_>,
        bytes: &[u8],
        to: Address,
        land: Land<'_>,
    ) -> Result<Waited, Failure> {
        let Some(piece) = self.room(turn, bytes.len(), land)? else { return Ok(Waited::Left) };
        let host = piece.take(bytes.len());
        // SAFETY: there is room for the bytes in the piece, which the device is not at work on.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), host, bytes.len()) };
        let driver = turn.opened.driver();
        // SAFETY: both memories have so many bytes; the piece is left alone until the device is done with it.
        unsafe { call!(driver, cuMemcpyHtoDAsync(to, host.cast(), bytes.len(), turn.stream)) }?;
        Ok(Waited::Done)
    }

    /// Copies up to [`PIECE`] bytes from the device, for the given place of a read.
    pub fn down(
        &mut self,
        turn: &Turn<'_>,
        (read, start, bytes): (usize, usize, usize),
        from: Address,
        land: Land<'_>,
    ) -> Result<Waited, Failure> {
        let Some(piece) = self.room(turn, bytes, land)? else { return Ok(Waited::Left) };
        let at = piece.used;
        let host = piece.take(bytes);
        let driver = turn.opened.driver();
        // SAFETY: both memories have so many bytes; nobody reads the piece before the device is done with it.
        unsafe { call!(driver, cuMemcpyDtoHAsync(host.cast(), from, bytes, turn.stream)) }?;
        piece.landings.push(Landing { read, start, bytes, at });
        Ok(Waited::Done)
    }

    /// The device is done with everything: what came down goes to its place, and all pieces are free.
    pub fn land(&mut self, land: Land<'_>) {
        for piece in &mut self.pieces {
            piece.land(land);
        }
        self.current = 0;
    }

    /// The device is done with everything, and nobody wants what came down.
    pub fn forget(&mut self) {
        self.land(&mut |_, _| {});
    }

    /// A piece with room; `None` when it was asked to stop before there was one.
    fn room(&mut self, turn: &Turn<'_>, bytes: usize, land: Land<'_>) -> Result<Option<&mut Piece>, Failure> {
        let driver = turn.opened.driver();
        if self.pieces.get(self.current).is_some_and(|piece| piece.used + bytes > PIECE) {
            let full = &mut self.pieces[self.current];
            // SAFETY: event and stream are this lane's.
            unsafe { call!(driver, cuEventRecord(full.event, turn.stream)) }?;
            full.full = true;
            self.current = (self.current + 1) % PIECES;
        }
        if self.current == self.pieces.len() {
            self.pieces.push(Piece::new(turn.opened)?);
        }
        let piece = &mut self.pieces[self.current];
        if piece.full {
            if wait(turn.cancel, || piece.is_done(driver))? == Waited::Left {
                return Ok(None);
            }
            piece.land(land);
        }
        Ok(Some(piece))
    }

    /// Gives all pieces back; the context is the thread's.
    pub fn end(&mut self, opened: &Opened) {
        for piece in self.pieces.drain(..) {
            let driver = opened.driver();
            // SAFETY: both are the piece's, which nobody uses any more. There is nothing to do about a failure.
            unsafe {
                let _ = call!(driver, cuMemFreeHost(piece.host.as_ptr().cast()));
                let _ = call!(driver, cuEventDestroy(piece.event));
            }
            opened.counters.pinned_bytes.sub(PIECE as u64);
        }
    }
}

impl Piece {
    fn new(opened: &Opened) -> Result<Piece, Failure> {
        let driver = opened.driver();
        let event = event(driver, UNTIMED)?;
        let mut host = std::ptr::null_mut();
        // SAFETY: the driver writes the address to where it is to go.
        let taken = unsafe { call!(driver, cuMemHostAlloc(&mut host, PIECE, 0)) };
        let host = taken.and_then(|()| {
            NonNull::new(host.cast())
                .ok_or_else(|| driver.failure("cuMemHostAlloc", crate::symbols::OUT_OF_MEMORY))
        });
        match host {
            Ok(host) => {
                opened.counters.pinned_bytes.add(PIECE as u64);
                Ok(Piece { host, used: 0, event, full: false, landings: Vec::new() })
            }
            Err(failure) => {
                // SAFETY: the event is nobody's.
                let _ = unsafe { call!(driver, cuEventDestroy(event)) };
                Err(failure)
            }
        }
    }

    /// Takes so many bytes, for which there is room.
    fn take(&mut self, bytes: usize) -> *mut u8 {
        assert!(self.used + bytes <= PIECE, "there is room in the piece");
        // SAFETY: it is within the piece.
        let start = unsafe { self.host.as_ptr().add(self.used) };
        self.used = (self.used + bytes).next_multiple_of(GRAIN);
        start
    }

    fn is_done(&self, driver: &Driver) -> Result<bool, Failure> {
        // SAFETY: the event is this piece's.
        let status = unsafe { (driver.cuEventQuery)(self.event) };
        if status == NOT_READY {
            return Ok(false);
        }
        driver.check("cuEventQuery", status).map(|()| true)
    }

    /// What came down goes to its place, and the piece is free.
    fn land(&mut self, land: Land<'_>) {
        for landing in self.landings.drain(..) {
            // SAFETY: the device has written so many bytes there, and is done.
            let bytes =
                unsafe { std::slice::from_raw_parts(self.host.as_ptr().add(landing.at), landing.bytes) };
            land(landing, bytes);
        }
        (self.used, self.full) = (0, false);
    }
}

const _: () = assert!(PIECE.is_multiple_of(GRAIN));
