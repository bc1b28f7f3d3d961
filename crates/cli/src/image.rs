//! PNG pictures as buffers: a u32 a pixel with red in the lowest byte, or f32 from 0 to 1.

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Limits, Transformations};
use std::io::{BufRead, Seek, Write};
use vyre_ir::{Scalar, Type};

/// Width and height of a picture.
pub fn size(file: impl BufRead + Seek) -> Result<(u32, u32), String> {
    let reader = Decoder::new(file).read_info().map_err(|e| e.to_string())?;
    Ok((reader.info().width, reader.info().height))
}

/// The pixels, four bytes each: red, green, blue, opacity.
pub fn read(file: impl BufRead + Seek) -> Result<Vec<u8>, String> {
    // The caller has compared the picture's size with the memory there is.
    let mut decoder = Decoder::new_with_limits(file, Limits { bytes: usize::MAX });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let size = reader.output_buffer_size().ok_or("it is too large")?;
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes).map_err(|e| e.to_string())?;
    bytes.truncate(frame.buffer_size());
    let expand = |channels: usize, pixel: fn(&[u8]) -> [u8; 4]| -> Vec<u8> {
        bytes.chunks_exact(channels).flat_map(pixel).collect()
    };
    Ok(match frame.color_type {
        ColorType::Rgba => bytes,
        ColorType::Rgb => expand(3, |p| [p[0], p[1], p[2], 255]),
        ColorType::GrayscaleAlpha => expand(2, |p| [p[0], p[0], p[0], p[1]]),
        ColorType::Grayscale => expand(1, |p| [p[0], p[0], p[0], 255]),
        ColorType::Indexed => return Err("its palette could not be read".into()),
    })
}

/// Whether a picture can be made of elements of this type.
pub fn can_hold(ty: Type) -> bool {
    matches!((ty.scalar, ty.lanes), (Scalar::U32, 1) | (Scalar::F32, 1 | 4))
}

/// Writes elements of a type that [`can_hold`] admits; gives how many numbers were outside 0 to 1 and so were cut.
pub fn write(file: impl Write, bytes: &[u8], ty: Type, width: u32, height: u32) -> Result<u64, String> {
    let gray = ty.scalar == Scalar::F32 && ty.lanes == 1;
    let mut encoder = Encoder::new(file, width, height);
    encoder.set_color(if gray { ColorType::Grayscale } else { ColorType::Rgba });
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
    let mut cut = 0;
    let scaled: Vec<u8>;
    let pixels = if ty.scalar == Scalar::F32 {
        let level = |b: &[u8]| {
            let x = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
            cut += !(0.0..=1.0).contains(&x) as u64;
            // The conversion saturates and takes NaN to 0.
            (x * 255.0).round() as u8
        };
        scaled = bytes.chunks_exact(4).map(level).collect();
        &scaled
    } else {
        bytes
    };
    writer.write_image_data(pixels).map_err(|e| e.to_string())?;
    writer.finish().map_err(|e| e.to_string())?;
    Ok(cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn words_survive() {
        let bytes: Vec<u8> = (0..24).collect();
        let mut file = Vec::new();
        assert_eq!(write(&mut file, &bytes, Scalar::U32.into(), 3, 2), Ok(0));
        assert_eq!(size(Cursor::new(&file)), Ok((3, 2)));
        assert_eq!(read(Cursor::new(&file)), Ok(bytes));
    }

    #[test]
    fn floats_become_levels() {
        let bytes: Vec<u8> =
            [0.0f32, 0.5, 1.0, 2.0, -1.0, f32::NAN].into_iter().flat_map(f32::to_le_bytes).collect();
        let mut file = Vec::new();
        assert_eq!(write(&mut file, &bytes, Scalar::F32.into(), 6, 1), Ok(3));
        let gray = [0, 128, 255, 255, 0, 0];
        assert_eq!(read(Cursor::new(&file)), Ok(gray.into_iter().flat_map(|g| [g, g, g, 255]).collect()));
    }

    #[test]
    fn bad_files_are_errors() {
        let mut file = Vec::new();
        write(&mut file, &[0; 64], Scalar::U32.into(), 4, 4).unwrap();
        for end in 0..file.len() - 12 {
            assert!(read(Cursor::new(&file[..end])).is_err(), "{end}");
        }
    }
}
