// Package clip is CLIP (Radford et al. 2021): the preprocessing of its images, its image and text encoders, and the
// tokenizer of its text side.
//
// Open loads an Encoder. OpenImage reads an image file as Pillow and libjpeg do, with which the published features were
// made; Encode turns images into features. Tokenizer turns captions into rows of token ids for the text encoder.
package clip
