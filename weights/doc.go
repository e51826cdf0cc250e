// Package weights reads and writes files of tensors.
//
// Open recognises a file by its content, never by trust in its name: safetensors (one file or shards with an
// index), what torch.save writes (zip archives and the older stream of pickles), TorchScript archives, plain pickles of
// tensors, .npy and .npz. All of them give one Store: names, types and shapes at once, numbers when they are asked
// for.
//
// # Reading
//
// Nothing of a tensor is read or converted before ReadFloat32, ReadInt64 or WriteTo asks for it. Little-endian
// float32 goes straight from the file into the caller's slice; View gives it in place, without a copy, where the system maps
// files into memory.
//
// # Hostile files
//
// A file is data. Pickles run through an unpickler that knows a short list of globals and calls nothing; any
// other global is an error that names it. Every length is compared with what is left of the file before memory is
// taken for it, every view with its storage, every name with a budget. Errors name the file.
package weights
