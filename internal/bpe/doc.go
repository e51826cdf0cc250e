// Package bpe holds what OpenAI's two byte-pair tokenizers, GPT-2's and CLIP's, have in common:
// the printable alphabet their vocabulary files spell bytes in, the classes of runes their word
// patterns distinguish, the table of merges with the procedure that applies it, and a bounded
// cache of words already encoded.
package bpe
