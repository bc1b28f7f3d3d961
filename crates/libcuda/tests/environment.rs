//! The stand-in of a program that knows nothing of it but the environment.

use libloading::{Library, Symbol};
use std::ffi::c_int;

#[test]
fn the_environment_says_what_there_is() {
    // SAFETY: no other thread of this program looks at the environment.
    unsafe { std::env::set_var("VYRE_LIBCUDA_OPTIONS", "devices=3, capability=7.5,fail=cuDeviceGet:0:101") };
    let path = vyre_libcuda::path().unwrap();
    // SAFETY: opening the library runs none of its code.
    let library = unsafe { Library::new(path) }.unwrap();
    // SAFETY: the functions of these names are of these types.
    unsafe {
        let init: Symbol<'_, unsafe extern "C" fn(u32) -> c_int> = library.get(b"cuInit").unwrap();
        let count: Symbol<'_, unsafe extern "C" fn(*mut c_int) -> c_int> =
            library.get(b"cuDeviceGetCount").unwrap();
        let get: Symbol<'_, unsafe extern "C" fn(*mut c_int, c_int) -> c_int> =
            library.get(b"cuDeviceGet").unwrap();
        let attribute: Symbol<'_, unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int> =
            library.get(b"cuDeviceGetAttribute").unwrap();
        let mut value = 0;
        assert_eq!(count(&mut value), 3, "not initialized");
        assert_eq!(init(0), 0);
        assert_eq!((count(&mut value), value), (0, 3));
        assert_eq!(get(&mut value, 2), 101);
        assert_eq!((get(&mut value, 2), value), (0, 2));
        assert_eq!((attribute(&mut value, 76, 2), value), (0, 5));
    }
}
