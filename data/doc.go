// Package data makes training batches of captions and features.
//
// Features ([OpenFeatures]) stay in the files they lie in. Captions ([Load]) become token ids in one flat array, each with the row of
// its image's feature; what finds no feature is counted and listed. A [Sampler] says which captions a step trains on: a function of
// the seed and the step's number alone, so that a resumed run sees what an unbroken one would have. A [Packer] lays a step's captions
// end to end as the networks read them, without padding.
package data
