// Package jpeg decodes JPEG files, baseline and progressive, into the planes of their components, bit for bit as libjpeg
// does: its inverse transform is the "islow" one of the Independent JPEG Group. It works on files held in memory and
// leaves colours and the widening of chroma to its callers.
//
// References: ITU-T T.81 (the format); Loeffler, Ligtenberg and Moschytz 1989 (the transform).
package jpeg
