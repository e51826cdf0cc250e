// Package train fits a mapper, and the language model with it where that is wanted, to captions and features as the ClipCap paper does
// (Mokady, Hertz and Bermano 2021, arXiv 2111.09734).
//
// A step is one graph: features → mapper → prefix → GPT-2 → loss at the rows before caption tokens → gradients of what is trainable, and
// the optimizer on the machine's buffers. With the settings' zero values the loss and the loop are the original's (train.py): the mean over
// the batch's tokens other than 0, AdamW with Hugging Face's epsilon, a learning rate that is 0 at the first step, rises linearly and
// falls linearly to 0, dropout in the language model only when it is tuned.
//
// Everything random is a function of the seed and the step's number, so a run that is stopped and resumed computes what an unbroken one
// would have.
package train
