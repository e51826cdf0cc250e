package extract

import (
	"fmt"
	"strconv"
)

// Schedule tells which of how many processes this one is, from the --shards and --shard flags (0 and -1 where they were
// not given) and, for what they leave open, from the variables of the usual schedulers: Kubernetes' indexed jobs, Slurm's
// arrays, Open MPI.
func Schedule(shards, shard int, getenv func(string) string) (process, processes int, err error) {
	if shards < 0 {
		return 0, 0, fmt.Errorf("--shards is %d, want 1 or more", shards)
	}
	if shards == 1 && shard < 0 { // alone, whatever else runs beside it
		return 0, 1, nil
	}
	for _, v := range [...]struct{ index, first, step, count string }{
		{"JOB_COMPLETION_INDEX", "", "", ""},
		{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP", "SLURM_ARRAY_TASK_COUNT"},
		{"OMPI_COMM_WORLD_RANK", "", "", "OMPI_COMM_WORLD_SIZE"},
	} {
		index, ok, err := number(getenv, v.index)
		if err != nil {
			return 0, 0, err
		}
		if !ok {
			continue
		}
		first, _, err := number(getenv, v.first)
		if err != nil {
			return 0, 0, err
		}
		step, _, err := number(getenv, v.step)
		if err != nil {
			return 0, 0, err
		}
		count, _, err := number(getenv, v.count)
		if err != nil {
			return 0, 0, err
		}
		if shard < 0 && v.first != "" && shards > 0 && count != shards { // a part of the array, run again or for itself
			return 0, 0, fmt.Errorf("--shards is %d, but %s is %d: want --shard, which of the %d this is", shards, v.count, count, shards)
		}
		if shard < 0 && (shards > 0 || v.count != "") {
			shard = (index - first) / max(1, step)
		}
		if shards == 0 && v.count == "" { // every process would do all the work
			return 0, 0, fmt.Errorf("%s is %d, but of how many is not said: want --shards, 1 where this process does everything", v.index, index)
		}
		if shards == 0 {
			shards = count
		}
		break
	}
	if shards == 0 {
		if shard > 0 {
			return 0, 0, fmt.Errorf("--shard is %d, but not --shards: of how many?", shard)
		}
		return 0, 1, nil
	}
	if shard < 0 {
		if shards > 1 {
			return 0, 0, fmt.Errorf("--shards is %d, but not --shard: which of them is this?", shards)
		}
		shard = 0
	}
	if shard >= shards {
		return 0, 0, fmt.Errorf("--shard is %d, want 0 to %d", shard, shards-1)
	}
	return shard, shards, nil
}

// number reads a variable, where it is set.
func number(getenv func(string) string, name string) (n int, ok bool, err error) {
	text := ""
	if name != "" {
		text = getenv(name)
	}
	if text == "" {
		return 0, false, nil
	}
	n, err = strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, false, fmt.Errorf("%s is %q, want a whole number", name, text)
	}
	return n, true, nil
}
