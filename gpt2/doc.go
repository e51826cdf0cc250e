// Package gpt2 is GPT-2: tokenizer, model, key/value cache and decoders.
//
// The tokenizer (Tokenizer) is OpenAI's byte-level byte-pair encoding. Its vocabulary comes
// with the program; a model folder's own files can take its place.
package gpt2
