// Package extract turns images into feature sets: folders of shards that training and captioning read.
//
// A Source lists images: the files of a folder or a list, those an annotation file names, addresses of Conceptual
// Captions, members of tar shards, or pixels in a .npy. Run reads, decodes and resizes them beside the encoder, and
// writes a shard once all its images are done.
//
// A shard is three files: 00042.jsonl, a line an image in the source's order with its row or the reason it has none;
// 00042.npy, the rows; and 00042.json, its counts, written last. A shard without it is done again from the start, and
// nothing in the files depends on when or by whom they were written, so a run that was killed and repeated leaves the
// same bytes as one that was not.
package extract
