//! What an operation of a dialect can be lowered to.

/// A kind of code. Its [`Target::id`] is stable: files and caches may keep it.
///
/// Not the optimizer's description of a code generator, which has the same name in `vyre_opt`.
#[derive(Copy, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Target {
    /// NVIDIA's assembly language.
    Ptx,
    /// SPIR-V.
    SpirV,
    /// WGSL.
    Wgsl,
    /// The Metal shading language.
    Msl,
    /// HLSL.
    Hlsl,
    /// A function of this process, which native code calls.
    NativeModule,
    /// A function of this process, which says what is right: the reference semantics.
    ReferenceBackend,
    /// Something that only some backends know; the number is theirs.
    Extension(u16),
}

/// Ids from here on are those of extensions.
const EXTENSIONS: u32 = 1 << 16;

impl Target {
    /// Every target that is no extension, in the order of ids.
    pub const ALL: [Target; 7] = [
        Target::Ptx,
        Target::SpirV,
        Target::Wgsl,
        Target::Msl,
        Target::Hlsl,
        Target::NativeModule,
        Target::ReferenceBackend,
    ];

    /// The number of the target, from version to version the same.
    pub const fn id(self) -> u32 {
        match self {
            Target::Ptx => 1,
            Target::SpirV => 2,
            Target::Wgsl => 3,
            Target::Msl => 4,
            Target::Hlsl => 5,
            Target::NativeModule => 6,
            Target::ReferenceBackend => 7,
            Target::Extension(number) => EXTENSIONS + number as u32,
        }
    }

    /// The target of that number.
    pub fn from_id(id: u32) -> Option<Target> {
        match id.checked_sub(EXTENSIONS) {
            Some(number) => u16::try_from(number).ok().map(Target::Extension),
            None => Target::ALL.into_iter().find(|target| target.id() == id),
        }
    }

    /// The name for people.
    pub fn name(self) -> String {
        match self {
            Target::Ptx => "PTX".into(),
            Target::SpirV => "SPIR-V".into(),
            Target::Wgsl => "WGSL".into(),
            Target::Msl => "MSL".into(),
            Target::Hlsl => "HLSL".into(),
            Target::NativeModule => "native code".into(),
            Target::ReferenceBackend => "the reference backend".into(),
            Target::Extension(number) => format!("extension {number}"),
        }
    }
}
