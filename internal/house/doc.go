// Package house holds the tests of the house rules: which package may import which, that
// every package has one package comment and every public one an Example, that exported names have
// comments and the docs' links lead somewhere, that a build without tags has no cgo, and that no other
// language has crept in. It has no code of its own.
package house
