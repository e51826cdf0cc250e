package pillow

// others are kinds of image files that are recognised, so that an error can name them, and not read: '?' stands for any byte. The brand
// of HEIC and AVIF comes after the length of their first box.
var others = []format{
	{name: "a HEIC photo", magic: "????ftyphei"},
	{name: "a HEIC photo", magic: "????ftyphev"},
	{name: "a HEIF image", magic: "????ftypmif1"},
	{name: "a HEIF image", magic: "????ftypmsf1"},
	{name: "an AVIF image", magic: "????ftypavi"},
	{name: "a JPEG XL image", magic: "\x00\x00\x00\x0cJXL "},
	{name: "a JPEG XL image", magic: "\xff\x0a"},
	{name: "a TIFF image", magic: "II*\x00"},
	{name: "a TIFF image", magic: "MM\x00*"},
	{name: "a PDF document", magic: "%PDF-"},
}

// other is the name of a kind that is not read, or "".
func other(data []byte) string {
	for i := range others {
		if others[i].matches(data) {
			return others[i].name
		}
	}
	return ""
}

// unsupported names a variant of a known kind that is not read. ErrFormat is in its chain.
type unsupported string

func (u unsupported) Error() string { return string(u) + ": not supported; convert it first" }

func (unsupported) Is(target error) bool { return target == ErrFormat }
