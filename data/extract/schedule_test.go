package extract

import (
	"strings"
	"testing"
)

func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		shards, shard int
		env           string
		process, of   int
		ok            bool
	}{
		{0, -1, "", 0, 1, true},
		{4, 3, "", 3, 4, true},
		{4, 0, "JOB_COMPLETION_INDEX=2", 0, 4, true}, // the flag wins
		{4, -1, "JOB_COMPLETION_INDEX=2", 2, 4, true},
		{1, -1, "JOB_COMPLETION_INDEX=0", 0, 1, true},
		{1, -1, "JOB_COMPLETION_INDEX=3", 0, 1, true},
		{1, -1, "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=8", 0, 1, true},
		{0, -1, "JOB_COMPLETION_INDEX=2", 0, 0, false}, // of how many is not known
		{0, -1, "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=8", 4, 8, true},
		{0, -1, "SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_STEP=4 SLURM_ARRAY_TASK_COUNT=3", 2, 3, true},
		{8, -1, "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=8", 4, 8, true},
		{8, -1, "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_COUNT=1", 0, 0, false}, // the fifth again, not the first
		{8, 5, "SLURM_ARRAY_TASK_ID=5 SLURM_ARRAY_TASK_MIN=5 SLURM_ARRAY_TASK_COUNT=1", 5, 8, true},
		{0, -1, "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2", 1, 2, true},
		{3, -1, "OMPI_COMM_WORLD_RANK=1 OMPI_COMM_WORLD_SIZE=2", 1, 3, true},
		{1, -1, "", 0, 1, true},
		{2, -1, "", 0, 0, false},
		{0, 1, "", 0, 0, false},
		{2, 2, "", 0, 0, false},
		{-1, 0, "", 0, 0, false},
		{2, -1, "JOB_COMPLETION_INDEX=2", 0, 0, false},
		{2, -1, "JOB_COMPLETION_INDEX=x", 0, 0, false},
	} {
		env := map[string]string{}
		for _, v := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(v, "=")
			env[name] = value
		}
		p, of, err := Schedule(c.shards, c.shard, func(name string) string { return env[name] })
		if (err == nil) != c.ok || c.ok && (p != c.process || of != c.of) {
			t.Errorf("--shards %d --shard %d %s: %d of %d (%v), want %d of %d (%v)", c.shards, c.shard, c.env, p, of, err, c.process, c.of, c.ok)
		}
	}
}
