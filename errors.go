package clipcap

import (
	"errors"
	"fmt"
)

// ErrNoCLIP is the error of captioning images with a model that was opened for features only.
var ErrNoCLIP = errors.New("no image encoder: the model was opened for features only")

// WidthError is the error of features that are not as wide as the mapper wants.
type WidthError struct {
	Want, Got int
	From      string // what gave the features, such as "CLIP ViT-B/32"
}

// Error names both widths.
func (e *WidthError) Error() string {
	return fmt.Sprintf("%s gives features of %d numbers, but the mapper was trained on %d: use %s", e.From, e.Got, e.Want, encoders(e.Want))
}

// encoders names OpenAI's encoders whose features have a width.
func encoders(width int) string {
	switch width {
	case 512:
		return "ViT-B/32 (or ViT-B/16 or RN101, if the mapper was trained with it)"
	case 640:
		return "RN50x4"
	case 768:
		return "ViT-L/14 (or ViT-L/14@336px or RN50x16, if the mapper was trained with it)"
	case 1024:
		return "RN50 (or RN50x64, if the mapper was trained with it)"
	}
	return "the CLIP model it was trained with"
}

// NoLanguageModelError is the error of a checkpoint that holds a mapper alone when no language model is given.
type NoLanguageModelError struct {
	Path, Want string
	Err        error // why the named model was not found, if it was looked for
}

// Error says which language model the checkpoint wants.
func (e *NoLanguageModelError) Error() string {
	text := fmt.Sprintf("%s holds a mapper alone and needs the language model %s", e.Path, e.Want)
	if e.Err != nil {
		return text + ": " + e.Err.Error()
	}
	return text + ": name it (GPT2, --gpt2)"
}

// Unwrap is why the model was not found.
func (e *NoLanguageModelError) Unwrap() error { return e.Err }
