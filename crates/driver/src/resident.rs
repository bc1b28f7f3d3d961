//! Resident buffers: memory of a device that lives from call to call, by handle.
//!
//! A buffer created as journaled has a copy of its contents on the host, which every successful submission that writes
//! the buffer brings up to date. So after a failure it holds what it held before the call that failed.
//!
//! Submissions that write one buffer are done one after the other: each holds the buffer's `journal` until it is known
//! what became of it. Locks are taken in this order: the backend, journals by number, contents.

use crate::backend::{Command, DeviceMemory, MemoryRequest, VyreBackend};
use crate::batch::Batch;
use crate::binding::bind_error;
use crate::codes;
use crate::device::{Device, Opened, caught, lock};
use crate::error::BackendError;
use crate::memory::AlignedBytes;
use crate::placement::Placement;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What a resident buffer is to be.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ResidentOptions {
    /// Its name in messages.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Whether its contents outlive the loss of the device. It then takes as much memory of the host, and each
    /// submission that writes it copies it there.
    pub journaled: bool,
    /// How its memory is best placed.
    pub placement: Placement,
}

/// A handle of memory on a device, zero at first. Clones are the same memory; it is freed with the last of them.
#[derive(Clone)]
pub struct Resident {
    pub(crate) inner: Arc<ResidentInner>,
}

pub(crate) struct ResidentInner {
    /// No two buffers of a process have the same.
    pub number: u64,
    pub name: String,
    pub bytes: u64,
    placement: Placement,
    device: Device,
    contents: RwLock<Contents>,
    /// The copy on the host, if there is one. Whoever writes the buffer holds this.
    pub journal: Mutex<Journal>,
}

pub(crate) type Journal = Option<AlignedBytes>;

struct Contents {
    /// None after it was freed, and while it could not be had again after a loss.
    memory: Option<Arc<dyn DeviceMemory>>,
    freed: bool,
    /// Why the bytes are not to be used.
    poison: Option<String>,
}

/// What became of a resident buffer after a loss.
pub(crate) enum Restored {
    Whole,
    Lost,
    /// It was freed before; there is nothing to restore.
    Freed,
}

/// Bytes of a resident buffer to copy to the host.
#[derive(Clone)]
pub struct Region<'a> {
    /// Of which buffer.
    pub from: &'a Resident,
    /// Which bytes.
    pub range: Range<u64>,
}

/// Bytes of the host to copy to a resident buffer.
#[derive(Clone)]
pub struct Upload<'a> {
    /// To which buffer.
    pub to: &'a Resident,
    /// From which byte on.
    pub offset: u64,
    /// What.
    pub bytes: &'a [u8],
}

impl Device {
    /// Allocates memory that stays on the device; it is zero.
    ///
    /// # Errors
    /// [`BackendError::OutOfMemory`], [`BackendError::DeviceLost`].
    pub fn allocate(&self, options: ResidentOptions) -> Result<Resident, BackendError> {
        self.allocate_in(&self.inner.opened()?, options)
    }

    /// As [`Device::allocate`], for a caller that holds the backend.
    pub(crate) fn allocate_in(
        &self,
        backend: &Opened<'_>,
        options: ResidentOptions,
    ) -> Result<Resident, BackendError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let ResidentOptions { name, bytes, journaled, placement } = options;
        let what = format!("resident buffer `{name}`");
        let journal = if journaled { Some(AlignedBytes::zeroed(bytes, &what)?) } else { None };
        let request = MemoryRequest { bytes, placement, what: &what };
        let memory = self.inner.judge(backend, allocate_checked(&***backend, &request))?;
        let contents = RwLock::new(Contents { memory: Some(memory), freed: false, poison: None });
        let inner = Arc::new(ResidentInner {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            name,
            bytes,
            placement,
            device: self.clone(),
            contents,
            journal: Mutex::new(journal),
        });
        let mut residents = lock(&self.inner.residents);
        residents.retain(|other| other.strong_count() > 0);
        residents.push(Arc::downgrade(&inner));
        self.inner.metrics.resident_buffers.add(1);
        self.inner.metrics.resident_bytes.add(bytes);
        Ok(Resident { inner })
    }

    /// Copies bytes to resident buffers, all behind one synchronization.
    ///
    /// # Errors
    /// `D030` for bytes outside of a buffer; [`BackendError::DeviceLost`].
    pub fn upload(&self, uploads: &[Upload<'_>]) -> Result<(), BackendError> {
        let mut batch = self.batch();
        for upload in uploads {
            batch.upload(upload.clone())?;
        }
        batch.run(&[]).map(|_| ())
    }

    /// Copies bytes of resident buffers to the host, all behind one synchronization; in the order of `regions`.
    ///
    /// # Errors
    /// `D030` for bytes outside of a buffer; [`BackendError::Poisoned`]; [`BackendError::DeviceLost`].
    pub fn download(&self, regions: &[Region<'_>]) -> Result<Vec<AlignedBytes>, BackendError> {
        self.batch().run(regions).map(|outputs| outputs.regions)
    }

    /// Several steps that are done as one unit of work.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }
}

impl Resident {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.inner.bytes
    }

    /// All of it, as a region.
    pub fn whole(&self) -> Region<'_> {
        Region { from: self, range: 0..self.inner.bytes }
    }

    /// Copies bytes to it, as many as it has.
    ///
    /// # Errors
    /// As [`Device::upload`]; `D030` for another number of bytes.
    pub fn upload(&self, bytes: &[u8]) -> Result<(), BackendError> {
        if bytes.len() as u64 != self.inner.bytes {
            let message = format!(
                "{} bytes for resident buffer `{}`, which has {}",
                bytes.len(),
                self.inner.name,
                self.inner.bytes
            );
            return Err(bind_error(codes::D030, message, "Give all bytes, or upload a range."));
        }
        self.inner.device.upload(&[Upload { to: self, offset: 0, bytes }])
    }

    /// A copy of all of it.
    ///
    /// # Errors
    /// As [`Device::download`].
    pub fn download(&self) -> Result<AlignedBytes, BackendError> {
        let mut all = self.inner.device.download(&[self.whole()])?;
        Ok(all.swap_remove(0))
    }

    /// Frees the memory; every other handle of it is then without memory. Submissions under way keep it until they end.
    /// Without this it is freed with the last handle.
    pub fn free(self) {
        let mut contents = self.inner.contents.write().unwrap_or_else(PoisonError::into_inner);
        if contents.freed {
            return;
        }
        contents.memory = None;
        contents.freed = true;
        contents.poison = Some("it was freed".into());
        drop(contents);
        self.inner.uncount();
        *lock(&self.inner.journal) = None;
    }

    /// That the range is inside and the buffer one of this device.
    pub(crate) fn check_range(&self, device: &Device, range: Range<Option<u64>>) -> Result<(), BackendError> {
        self.check_device(device)?;
        let (start, end) = (range.start, range.end);
        if start > end || end.is_none_or(|end| end > self.inner.bytes) {
            let text = |byte: Option<u64>| byte.map_or("2^64 or more".into(), |byte| byte.to_string());
            let message = format!(
                "bytes {} to {} are not in resident buffer `{}` of {} bytes",
                text(start),
                text(end),
                self.inner.name,
                self.inner.bytes
            );
            return Err(bind_error(codes::D030, message, "Give a range inside of the buffer."));
        }
        Ok(())
    }

    pub(crate) fn check_device(&self, device: &Device) -> Result<(), BackendError> {
        if self.inner.device.is(device) {
            return Ok(());
        }
        let message = format!("resident buffer `{}` belongs to another device", self.inner.name);
        Err(bind_error(codes::D031, message, "Allocate it on the device that the program is compiled for."))
    }

    /// The memory, if its contents can be used, or if `all` of it is about to be written.
    pub(crate) fn memory(&self, all: bool) -> Result<Arc<dyn DeviceMemory>, BackendError> {
        let contents = self.inner.contents.read().unwrap_or_else(PoisonError::into_inner);
        match (&contents.memory, &contents.poison) {
            (Some(memory), None) => Ok(memory.clone()),
            (Some(memory), _) if all => Ok(memory.clone()),
            (_, reason) => Err(BackendError::Poisoned {
                name: self.inner.name.clone(),
                reason: reason.clone().unwrap_or_default(),
            }),
        }
    }
}

impl ResidentInner {
    /// All of it was uploaded: what was lost is no matter any more.
    pub fn renewed(&self) {
        let mut contents = self.contents.write().unwrap_or_else(PoisonError::into_inner);
        if contents.memory.is_some() {
            contents.poison = None;
        }
    }

    /// New memory on a new device, with the old contents if there is a journal.
    pub fn restore(&self, backend: &dyn VyreBackend) -> Result<Restored, BackendError> {
        let journal = lock(&self.journal);
        let mut contents = self.contents.write().unwrap_or_else(PoisonError::into_inner);
        if contents.freed {
            return Ok(Restored::Freed);
        }
        let what = format!("resident buffer `{}`", self.name);
        let request = MemoryRequest { bytes: self.bytes, placement: self.placement, what: &what };
        let memory = allocate_checked(backend, &request)?;
        let restored = match &*journal {
            Some(bytes) => {
                upload(backend, &*memory, bytes)?;
                contents.poison = None;
                Restored::Whole
            }
            None => Restored::Lost,
        };
        contents.memory = Some(memory);
        Ok(restored)
    }

    /// Gives up memory of a device that is gone.
    pub fn forget(&self) {
        let mut contents = self.contents.write().unwrap_or_else(PoisonError::into_inner);
        contents.memory = None;
        if !contents.freed {
            contents.poison = Some("the device was lost".into());
        }
    }

    /// Makes the contents good again after a failed submission that may have written some of them; where that cannot
    /// be, they are lost.
    pub fn undo(
        &self,
        backend: &dyn VyreBackend,
        journal: &Journal,
        reason: &str,
    ) -> Result<(), BackendError> {
        let mut contents = self.contents.write().unwrap_or_else(PoisonError::into_inner);
        let Some(memory) = &contents.memory else { return Ok(()) };
        let undone = match journal {
            Some(bytes) => upload(backend, &**memory, bytes),
            None => {
                contents.poison = Some(reason.into());
                return Ok(());
            }
        };
        contents.poison = if undone.is_ok() { None } else { Some(reason.into()) };
        undone
    }

    /// Whether its contents can be used.
    pub(crate) fn is_whole(&self) -> bool {
        self.contents.read().unwrap_or_else(PoisonError::into_inner).poison.is_none()
    }

    /// Tries again what an earlier [`ResidentInner::undo`] could not do.
    pub fn repair(&self, backend: &dyn VyreBackend) -> Result<(), BackendError> {
        let poison = || self.contents.read().unwrap_or_else(PoisonError::into_inner).poison.clone();
        if poison().is_none() {
            return Ok(());
        }
        // Whoever writes it may have changed that by now.
        let journal = lock(&self.journal);
        match (&*journal, poison()) {
            (Some(_), Some(reason)) => self.undo(backend, &journal, &reason),
            _ => Ok(()),
        }
    }

    fn uncount(&self) {
        let metrics = &self.device.inner.metrics;
        metrics.resident_buffers.sub(1);
        metrics.resident_bytes.sub(self.bytes);
    }
}

fn upload(backend: &dyn VyreBackend, to: &dyn DeviceMemory, bytes: &[u8]) -> Result<(), BackendError> {
    let mut commands = [Command::Upload { to, offset: 0, bytes }];
    caught(|| backend.submit(&mut commands, &Default::default())).map(|_| ())
}

impl Drop for ResidentInner {
    fn drop(&mut self) {
        if !self.contents.get_mut().unwrap_or_else(PoisonError::into_inner).freed {
            self.uncount();
        }
    }
}

impl fmt::Debug for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "resident buffer `{}` of {} bytes", self.inner.name, self.inner.bytes)
    }
}

/// Memory of the backend, after a look at whether it is as large as asked for.
pub(crate) fn allocate_checked(
    backend: &dyn VyreBackend,
    request: &MemoryRequest<'_>,
) -> Result<Arc<dyn DeviceMemory>, BackendError> {
    let memory = caught(|| backend.allocate(request))?;
    if memory.bytes() != request.bytes {
        let what = format!("backend `{}` gave {} bytes for {}", backend.id(), memory.bytes(), request.bytes);
        return Err(BackendError::Internal { what });
    }
    Ok(memory)
}
