//! The peer PoCL: OpenCL C on the processor, built as by default, without relaxed math.

use crate::error::BenchError;
use crate::kernels::{Case, Work};
use crate::runner::{Loaded, Runner, only_resident};
use opencl3::command_queue::CommandQueue;
use opencl3::context::Context;
use opencl3::device::{CL_DEVICE_TYPE_CPU, Device};
use opencl3::error_codes::ClError;
use opencl3::kernel::ExecuteKernel;
use opencl3::memory::{Buffer, CL_MEM_COPY_HOST_PTR, CL_MEM_READ_ONLY, CL_MEM_READ_WRITE};
use opencl3::program::Program;
use opencl3::types::CL_BLOCKING;
use std::rc::Rc;

/// What PoCL calls its platform.
const PLATFORM: &str = "Portable Computing Language";

/// The processor as PoCL shows it.
pub struct OpenCl {
    opened: Rc<Opened>,
}

struct Opened {
    about: String,
    context: Context,
    queue: CommandQueue,
}

struct OpenClLoaded {
    opened: Rc<Opened>,
    kernel: opencl3::kernel::Kernel,
    buffers: Vec<(Buffer<u32>, usize)>,
    local: [usize; 3],
    global: [usize; 3],
}

impl OpenCl {
    /// Finds PoCL's processor.
    ///
    /// # Errors
    /// Why not.
    pub fn open() -> Result<OpenCl, String> {
        let platforms = opencl3::platform::get_platforms()
            .map_err(|error| format!("OpenCL cannot be loaded, or has no platform: {error}"))?;
        let names: Vec<String> = platforms.iter().map(|p| p.name().unwrap_or_default()).collect();
        let Some(place) = names.iter().position(|name| name.contains(PLATFORM)) else {
            return Err(format!("none of the OpenCL platforms is PoCL: {}", names.join(", ")));
        };
        let open = || -> Result<Opened, ClError> {
            let platform = &platforms[place];
            let devices = platform.get_devices(CL_DEVICE_TYPE_CPU)?;
            let device =
                Device::new(*devices.first().ok_or(ClError(opencl3::error_codes::CL_DEVICE_NOT_FOUND))?);
            let context = Context::from_device(&device)?;
            let queue = CommandQueue::create_default(&context, 0)?;
            let (version, name, units) = (platform.version()?, device.name()?, device.max_compute_units()?);
            Ok(Opened { about: format!("{version}, {name}, {units} compute units"), context, queue })
        };
        open().map(|opened| OpenCl { opened: Rc::new(opened) }).map_err(|error| format!("PoCL: {error}"))
    }
}

impl Runner for OpenCl {
    fn about(&self) -> String {
        self.opened.about.clone()
    }

    fn load(&self, case: &Case, work: &Work) -> Result<Box<dyn Loaded>, BenchError> {
        let kernel = only_resident(case)?;
        let context = &self.opened.context;
        let options: Vec<String> = work
            .overrides
            .iter()
            .map(|(name, value)| format!("-D {}={value}", name.to_uppercase()))
            .collect();
        let program = Program::create_and_build_from_source(context, kernel.opencl, &options.join(" "))
            .map_err(BenchError::Peer)?;
        let buffers = work.buffers.iter().map(|data| {
            let access = if data.written { CL_MEM_READ_WRITE } else { CL_MEM_READ_ONLY };
            let (count, from) = (data.words.len(), data.words.as_ptr().cast_mut().cast());
            // SAFETY: `from` is `count` words, which are copied before the call returns.
            let buffer = unsafe { Buffer::create(context, access | CL_MEM_COPY_HOST_PTR, count, from) };
            Ok((buffer.map_err(failed)?, count))
        });
        Ok(Box::new(OpenClLoaded {
            opened: self.opened.clone(),
            kernel: opencl3::kernel::Kernel::create(&program, "run").map_err(failed)?,
            buffers: buffers.collect::<Result<_, BenchError>>()?,
            local: work.workgroup.map(|n| n as usize),
            global: std::array::from_fn(|i| work.workgroup[i] as usize * work.workgroups[i] as usize),
        }))
    }
}

impl Loaded for OpenClLoaded {
    fn run(&mut self) -> Result<(), BenchError> {
        let mut call = ExecuteKernel::new(&self.kernel);
        // SAFETY: the kernel takes the buffers in this order, then the elements of each; they outlive the wait below.
        let event = unsafe {
            for (buffer, _) in &self.buffers {
                call.set_arg(buffer);
            }
            for (_, count) in &self.buffers {
                call.set_arg(&(*count as u32));
            }
            call.set_global_work_sizes(&self.global).set_local_work_sizes(&self.local);
            call.enqueue_nd_range(&self.opened.queue)
        };
        event.and_then(|event| event.wait()).map_err(failed)
    }

    fn read(&mut self) -> Result<Vec<Vec<u32>>, BenchError> {
        let read = |(buffer, count): &(Buffer<u32>, usize)| {
            let mut words = vec![0; *count];
            // SAFETY: the buffer has as many words, and the call returns when they are read.
            let event =
                unsafe { self.opened.queue.enqueue_read_buffer(buffer, CL_BLOCKING, 0, &mut words, &[]) };
            event.map_err(failed)?;
            Ok(words)
        };
        self.buffers.iter().map(read).collect()
    }
}

fn failed(error: ClError) -> BenchError {
    BenchError::Peer(error.to_string())
}
