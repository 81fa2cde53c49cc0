//! Which adapters there are, and which of them are used. Devices are opened when somebody first asks, never before.

use std::sync::{Arc, OnceLock};

use super::super::{Found, Gpu, Wish, wish};
use super::device::Driver;

struct Known {
    found: Vec<Found>,
    gpus: Vec<Arc<dyn Gpu>>,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| look(wish()))
}

/// The adapters of this machine, used or not.
pub fn found() -> &'static [Found] {
    &known().found
}

/// The devices, opened: number `i` is `/device:GPU:i`.
pub fn gpus() -> &'static [Arc<dyn Gpu>] {
    &known().gpus
}

/// Adapters by kind: those with memory of their own come first.
fn rank(kind: wgpu::DeviceType) -> u8 {
    match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

fn kind_name(kind: wgpu::DeviceType) -> &'static str {
    match kind {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Other => "other",
        wgpu::DeviceType::Cpu => "software",
    }
}

fn look(wish: Wish) -> Known {
    let mut known = Known {
        found: Vec::new(),
        gpus: Vec::new(),
    };
    if wish == Wish::Off {
        return known;
    }
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    // Stable: the order in which the system lists equal cards stays. Vulkan stands before DirectX.
    adapters.sort_by_key(|adapter| {
        let info = adapter.get_info();
        (rank(info.device_type), info.backend == wgpu::Backend::Dx12)
    });
    let mut seen: Vec<(u32, u32, String, wgpu::Backend)> = Vec::new();
    let visible = visible(wish);
    let mut candidates = 0;
    // Places in the list of visible ones, and in `found`.
    let mut wanted: Vec<(usize, usize)> = Vec::new();
    for (at, adapter) in adapters.iter().enumerate() {
        let info = adapter.get_info();
        let is_software = info.device_type == wgpu::DeviceType::Cpu;
        let key = (info.vendor, info.device, info.name.clone(), info.backend);
        let is_twin = seen.iter().any(|(vendor, device, name, backend)| {
            (*vendor, *device) == (key.0, key.1) && *name == key.2 && *backend != key.3
        });
        seen.push(key);
        let why_not = if is_software && wish != Wish::Software {
            Some("it computes on the CPU; FERROFLOW_GPU=software asks for it")
        } else if !is_software && wish == Wish::Software {
            Some("FERROFLOW_GPU=software asks for software only")
        } else if is_twin {
            Some("the same card is used through another interface")
        } else {
            candidates += 1;
            let place = match &visible {
                None => Some(candidates),
                Some(list) => list.iter().position(|number| *number == candidates - 1),
            };
            wanted.extend(place.map(|place| (place, at)));
            match place {
                None => Some("CUDA_VISIBLE_DEVICES does not name it"),
                Some(_) => None,
            }
        };
        let limits = adapter.limits();
        known.found.push(Found {
            name: info.name,
            kind: kind_name(info.device_type),
            interface: info.backend.to_string(),
            driver: [info.driver, info.driver_info].join(" ").trim().to_string(),
            buffer_bytes: limits.max_storage_buffer_binding_size,
            workgroup_bytes: u64::from(limits.max_compute_workgroup_storage_size),
            bindings: limits.max_storage_buffers_per_shader_stage as usize,
            number: None,
            why_not: why_not.map(str::to_string),
        });
    }
    wanted.sort_unstable();
    for (_, at) in wanted {
        match Driver::open(&adapters[at], known.gpus.len()) {
            Ok(driver) => {
                known.found[at].number = Some(known.gpus.len());
                known.gpus.push(driver);
            }
            Err(error) => known.found[at].why_not = Some(error.message),
        }
    }
    known
}

/// The numbers that `CUDA_VISIBLE_DEVICES` names: programs choose their cards so, of whichever maker. Who asks for
/// software has said which one already.
fn visible(wish: Wish) -> Option<Vec<usize>> {
    if wish == Wish::Software {
        return None;
    }
    listed(&std::env::var("CUDA_VISIBLE_DEVICES").ok()?)
}

/// As CUDA reads the list: what stands behind the first that is no number of a card counts for nothing. Names that the
/// cards have there (`GPU-8932f937`) are not known to other interfaces, and hide none.
fn listed(text: &str) -> Option<Vec<usize>> {
    let text = text.trim();
    if text.starts_with("GPU-") || text.starts_with("MIG-") {
        return None;
    }
    let numbers = text.split(',').map(|number| number.trim().parse().ok());
    Some(numbers.map_while(|number| number).collect())
}

/// A device that takes commands and does nothing: what is left is the cost of giving them. For benches.
#[cfg(feature = "noop")]
pub fn noop() -> crate::error::Result<Arc<dyn Gpu>> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::NOOP;
    descriptor.backend_options.noop.enable = true;
    let instance = wgpu::Instance::new(descriptor);
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::NOOP));
    let first = adapters.first();
    let first = first.ok_or_else(|| crate::error::Error::internal("there is no noop adapter"))?;
    Ok(Driver::open(first, 0)?)
}

/// The first adapter of any kind, for tests; says so when there is none.
#[cfg(test)]
#[allow(clippy::print_stderr)]
pub fn for_tests() -> Option<Arc<dyn Gpu>> {
    static ONE: OnceLock<Option<Arc<dyn Gpu>>> = OnceLock::new();
    let open = || {
        let wishes = [Wish::Real, Wish::Software];
        let found = wishes
            .into_iter()
            .find_map(|wish| look(wish).gpus.into_iter().next());
        if found.is_none() {
            eprintln!(
                "NO GPU ADAPTER, NOT EVEN A SOFTWARE ONE: the tests of the GPU backend did not run"
            );
        }
        found
    };
    ONE.get_or_init(open).clone()
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn cards_are_chosen_as_cuda_reads_its_variable() {
        for (text, numbers) in [
            ("", Some(vec![])),
            ("-1", Some(vec![])),
            ("0", Some(vec![0])),
            (" 2, 0", Some(vec![2, 0])),
            ("1,-1,0", Some(vec![1])),
            ("GPU-8932f937", None),
            ("NoDevFiles", Some(vec![])),
        ] {
            assert_eq!(listed(text), numbers, "{text:?}");
        }
    }
}
