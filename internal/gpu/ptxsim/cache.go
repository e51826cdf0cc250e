package ptxsim

import "sync"

// cache holds parsed modules by their text.
type cache struct {
	mu      sync.Mutex
	modules map[string]*Module
}

func (c *cache) get(text string) (*Module, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := c.modules[text]; m != nil {
		return m, nil
	}
	m, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if c.modules == nil {
		c.modules = map[string]*Module{}
	}
	c.modules[text] = m
	return m, nil
}
