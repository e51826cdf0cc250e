package cli

import "flag"

// Idle refuses the named flags where they were given, since the value of the flag beside leaves them without an effect. Where beside
// was typed, it overrides a file of flags, whose own flags of that list are then passed over.
func Idle(f *flag.FlagSet, beside string, names ...string) error {
	given := Given(f)
	if typed := Typed(f); typed[beside] {
		given = typed
	}
	for _, name := range names {
		if given[name] {
			return Misusef("--%s has no effect with --%s %s", name, beside, f.Lookup(beside).Value)
		}
	}
	return nil
}
