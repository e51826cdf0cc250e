// Package eval scores captions against human references the way coco-caption does: BLEU-1…4, ROUGE-L and CIDEr here, METEOR in
// package meteor, the tokens they all count in package ptb. It also measures diversity, gives CLIPScore from feature vectors, and
// says by bootstrap how sure a score or the difference of two systems is.
//
// A [Corpus] is made of the tokens of a run's captions and references once; its methods are then pure functions of it that share work
// over the processors. No result depends on how many there are, and no image's BLEU, ROUGE-L or METEOR on the other images. CIDEr does
// depend on them, by its definition: a word's weight comes from the images of the run.
package eval
