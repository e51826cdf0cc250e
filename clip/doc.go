// Package clip is CLIP: the tokenizer of its text side, the preprocessing of its images, and
// its networks.
//
// DecodeImage reads an image file, Preprocess turns it into the input of an image encoder;
// both follow Pillow and libjpeg, with which the published features were made. Tokenizer turns
// captions into rows of token ids for the text encoder.
package clip
