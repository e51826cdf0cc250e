// Package pillow decodes images and brings them to a square as Python's Pillow, with libjpeg and libwebp, does: the
// published CLIP features were made with these, and a network sees every rounding.
//
// Decode keeps an image in the mode Pillow gives it, because what a resize does depends on it: palettes and one-bit
// images take the nearest pixel, alpha is multiplied in and divided out again, CMYK is resized as four inks. Only
// then do the pixels become RGB.
//
// Everything is bit for bit what Pillow 9.4 gives, JPEG included (see package jpeg). TIFF and AVIF are not read, nor are
// animated WebP.
package pillow
