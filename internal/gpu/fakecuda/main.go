// Command fakecuda is the device behind a stand-in for NVIDIA's driver. testdata/*.c is a libcuda.so.1 that holds every call to what CUDA's
// documentation asks of it, and sends what is left over a socket to this program, which keeps the device's memory and interprets the kernels. So
// a program built with the tag gpu runs as it is, from its first call of the driver to the numbers it fetches, where there is no GPU.
// scripts/gpu-fake.sh builds and runs it all.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
)

// request is what the library asks; text of Bytes follows. It is fake.h's.
type request struct{ Op, A, B, Bytes uint64 }

// reply is the answer, followed by as many bytes: of an error where Failed is not 0.
type reply struct{ Failed, Value, Bytes uint64 }

// The operations, in fake.h's order.
const (
	load     = iota + 1 // text: PTX
	alloc               // A bytes; the value is an address
	free                // A
	upload              // to A; text
	download            // from A, B bytes
	clear               // A, B bytes
	kernel              // text: name; answers its block's size, own shared memory and parameters' sizes, 8 bytes each
	launch              // A: arguments; text: grid, block, shared memory, arguments, 8 bytes each, and the name
	room
)

func main() {
	conn := os.NewFile(3, "the library")
	d := ptxsim.NewDriver(4 << 30)
	module := &ptxsim.Module{}
	for {
		var q request
		if err := binary.Read(conn, binary.LittleEndian, &q); errors.Is(err, io.EOF) {
			return // the program is over
		} else if err != nil {
			fail(err)
		}
		text := make([]byte, q.Bytes)
		if _, err := io.ReadFull(conn, text); err != nil {
			fail(err)
		}
		value, out, err := serve(d, &module, q, text)
		r := reply{Value: value, Bytes: uint64(len(out))}
		if err != nil {
			out = []byte(err.Error())
			r = reply{Failed: 1, Bytes: uint64(len(out))}
		}
		head, _ := binary.Append(nil, binary.LittleEndian, r)
		if _, err := conn.Write(append(head, out...)); err != nil {
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintf(os.Stderr, "fakecuda: talk with the library: %v\n", err)
	os.Exit(1)
}

// serve does one request.
func serve(d *ptxsim.Driver, module **ptxsim.Module, q request, text []byte) (value uint64, out []byte, err error) {
	dev := d.Device
	switch q.Op {
	case load:
		*module, err = ptxsim.Parse(string(text))
	case alloc:
		value, err = dev.Alloc(int(q.A))
	case free:
		err = dev.Free(q.A)
	case upload:
		err = dev.Write(q.A, text)
	case download:
		out = make([]byte, q.B)
		err = dev.Read(out, q.A)
	case clear:
		err = dev.Clear(q.A, int(q.B))
	case kernel:
		k := (*module).Kernels[string(text)]
		if k == nil {
			return 0, nil, fmt.Errorf("no kernel %s", text)
		}
		numbers := []uint64{uint64(k.MaxThreads), uint64(k.Static())}
		for _, n := range k.Params {
			numbers = append(numbers, uint64(n))
		}
		out, err = binary.Append(nil, binary.LittleEndian, numbers)
	case launch:
		n := make([]uint64, 7+q.A)
		if _, err := binary.Decode(text, binary.LittleEndian, n); err != nil {
			return 0, nil, err
		}
		name := strings.TrimRight(string(text[8*len(n):]), "\x00")
		at := func(i int) ptxsim.Dim { return ptxsim.Dim{int(n[i]), int(n[i+1]), int(n[i+2])} }
		err = dev.Launch((*module).Kernels[name], at(0), at(3), int(n[6]), n[7:])
	case room:
		free, err := d.Room()
		return uint64(free), nil, err
	default:
		err = fmt.Errorf("no operation %d", q.Op)
	}
	return value, out, err
}
