//! Resident buffers: memory of a device that lives from call to call, by handle.
//!
//! A buffer created as journaled has a copy of its contents on the host, which every successful submission that writes
//! the buffer brings up to date. So after a failure it holds what it held before the call that failed.

use crate::backend::{Command, DeviceMemory, VyreBackend};
use crate::batch::Batch;
use crate::binding::bind_error;
use crate::codes;
use crate::device::{Device, lock};
use crate::error::BackendError;
use crate::memory::AlignedBytes;
use std::fmt;
use std::ops::Range;
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
}

/// A handle of memory on a device, zero at first. Clones are the same memory; it is freed with the last of them.
#[derive(Clone)]
pub struct Resident {
    pub(crate) inner: Arc<ResidentInner>,
}

pub(crate) struct ResidentInner {
    pub name: String,
    pub bytes: u64,
    device: Device,
    contents: RwLock<Contents>,
    pub journal: Option<Mutex<AlignedBytes>>,
}

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
        let ResidentOptions { name, bytes, journaled } = options;
        let what = format!("resident buffer `{name}`");
        let journal = if journaled { Some(Mutex::new(AlignedBytes::zeroed(bytes, &what)?)) } else { None };
        let backend = self.inner.opened()?;
        let memory = self.inner.judge(&backend, allocate_checked(&**backend, bytes, &what))?;
        let contents = RwLock::new(Contents { memory: Some(memory), freed: false, poison: None });
        let device = self.clone();
        let inner = Arc::new(ResidentInner { name, bytes, device, contents, journal });
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

    /// Frees the memory now; every other handle of it is then without memory. Without this it is freed with the last
    /// handle.
    pub fn free(self) {
        let mut contents = self.inner.contents.write().unwrap_or_else(PoisonError::into_inner);
        contents.memory = None;
        contents.freed = true;
        contents.poison = Some("it was freed".into());
    }

    /// That the range is inside and the buffer one of this device.
    pub(crate) fn check_range(&self, device: &Device, offset: u64, len: u64) -> Result<(), BackendError> {
        self.check_device(device)?;
        if offset.checked_add(len).is_none_or(|end| end > self.inner.bytes) {
            let message = format!(
                "{len} bytes from byte {offset} on are not all in resident buffer `{}` of {} bytes",
                self.inner.name, self.inner.bytes
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
    /// After a submission that wrote all of it, or some of it, or failed.
    pub fn set_poison(&self, reason: Option<&str>) {
        let mut contents = self.contents.write().unwrap_or_else(PoisonError::into_inner);
        if contents.memory.is_some() {
            contents.poison = reason.map(str::to_string);
        }
    }

    /// New memory on a new device, with the old contents if there is a journal.
    pub fn restore(&self, backend: &dyn VyreBackend) -> Result<Restored, BackendError> {
        let mut contents = self.contents.write().unwrap_or_else(PoisonError::into_inner);
        if contents.freed {
            return Ok(Restored::Lost);
        }
        // The old memory belongs to a device that is gone.
        contents.memory = None;
        contents.poison = Some("the device was lost".into());
        let memory = allocate_checked(backend, self.bytes, &format!("resident buffer `{}`", self.name))?;
        let restored = match &self.journal {
            Some(journal) => {
                self.upload_journal(backend, &*memory, &lock(journal))?;
                contents.poison = None;
                Restored::Whole
            }
            None => Restored::Lost,
        };
        contents.memory = Some(memory);
        Ok(restored)
    }

    /// Makes the contents good again after a failed submission that may have written some of them.
    pub fn undo(&self, backend: &dyn VyreBackend, reason: &str) {
        let contents = self.contents.read().unwrap_or_else(PoisonError::into_inner);
        if let (Some(memory), Some(journal)) = (&contents.memory, &self.journal)
            && contents.poison.is_none()
            && self.upload_journal(backend, &**memory, &lock(journal)).is_ok()
        {
            return;
        }
        drop(contents);
        self.set_poison(Some(reason));
    }

    fn upload_journal(
        &self,
        backend: &dyn VyreBackend,
        to: &dyn DeviceMemory,
        bytes: &[u8],
    ) -> Result<(), BackendError> {
        backend.submit(&mut [Command::Upload { to, offset: 0, bytes }], &Default::default()).map(|_| ())
    }
}

impl Drop for ResidentInner {
    fn drop(&mut self) {
        let metrics = &self.device.inner.metrics;
        metrics.resident_buffers.sub(1);
        metrics.resident_bytes.sub(self.bytes);
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
    bytes: u64,
    what: &str,
) -> Result<Arc<dyn DeviceMemory>, BackendError> {
    let memory = backend.allocate(bytes, what)?;
    if memory.bytes() != bytes {
        let what = format!("backend `{}` gave {} bytes for {bytes}", backend.id(), memory.bytes());
        return Err(BackendError::Internal { what });
    }
    Ok(memory)
}
