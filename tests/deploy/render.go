// Renders the chart with the template engine that Helm uses: `go run render.go TEMPLATES < values`, where standard
// input is JSON with what Helm hands in (Values, Release, Chart). Functions are those of Helm that the chart uses.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"text/template"
)

func quoted(value any) string {
	text, _ := json.Marshal(fmt.Sprint(value))
	return string(text)
}

func yaml(value any, indent string) string {
	switch found := value.(type) {
	case map[string]any:
		if len(found) == 0 {
			return "{}"
		}
		names := make([]string, 0, len(found))
		for name := range found {
			names = append(names, name)
		}
		sort.Strings(names)
		var lines []string
		for _, name := range names {
			lines = append(lines, quoted(name)+":"+nested(found[name], indent+"  "))
		}
		return strings.Join(lines, "\n"+indent)
	case []any:
		if len(found) == 0 {
			return "[]"
		}
		var lines []string
		for _, each := range found {
			lines = append(lines, "- "+yaml(each, indent+"  "))
		}
		return strings.Join(lines, "\n"+indent)
	}
	text, _ := json.Marshal(value)
	return string(text)
}

func nested(value any, indent string) string {
	switch found := value.(type) {
	case map[string]any:
		if len(found) > 0 {
			return "\n" + indent + yaml(value, indent)
		}
	case []any:
		if len(found) > 0 {
			return "\n" + indent + yaml(value, indent)
		}
	}
	return " " + yaml(value, indent)
}

func empty(value any) bool {
	truth, ok := template.IsTrue(value)
	return !ok || !truth
}

func number(value any) int64 {
	found := reflect.ValueOf(value)
	if found.CanFloat() {
		return int64(found.Float())
	}
	return found.Int()
}

func main() {
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var out bytes.Buffer
			err := root.ExecuteTemplate(&out, name, data)
			return out.String(), err
		},
		"fail":     func(message string) (string, error) { return "", errors.New(message) },
		"required": func(message string, value any) (any, error) {
			if empty(value) {
				return nil, errors.New(message)
			}
			return value, nil
		},
		"default": func(otherwise, value any) any {
			if empty(value) {
				return otherwise
			}
			return value
		},
		"add": func(values ...any) (sum int64) {
			for _, each := range values {
				sum += number(each)
			}
			return sum
		},
		"dict": func(pairs ...any) map[string]any {
			made := map[string]any{}
			for at := 0; at < len(pairs); at += 2 {
				made[pairs[at].(string)] = pairs[at+1]
			}
			return made
		},
		"nindent": func(spaces int, text string) string {
			indent := "\n" + strings.Repeat(" ", spaces)
			return indent + strings.ReplaceAll(text, "\n", indent)
		},
		"int":        number,
		"kindIs":     func(kind string, value any) bool { return reflect.TypeOf(value).Kind().String() == kind },
		"quote":      quoted,
		"sha256sum":  func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) },
		"toJson":     func(value any) string { text, _ := json.Marshal(value); return string(text) },
		"toYaml":     func(value any) string { return yaml(value, "") },
		"trimSuffix": func(end, text string) string { return strings.TrimSuffix(text, end) },
		"trunc":      func(most int, text string) string { return text[:min(most, len(text))] },
		"upper":      strings.ToUpper,
	})
	var given map[string]any
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		panic(err)
	}
	files, _ := filepath.Glob(filepath.Join(os.Args[1], "*"))
	template.Must(root.ParseFiles(files...))
	for _, file := range files {
		name := filepath.Base(file)
		if strings.HasSuffix(name, ".tpl") {
			continue
		}
		if strings.HasSuffix(name, ".txt") {
			fmt.Print("\n---\nnotes: |")
		} else {
			fmt.Print("\n---\n")
		}
		var out bytes.Buffer
		if err := root.ExecuteTemplate(&out, name, given); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if strings.HasSuffix(name, ".txt") {
			fmt.Print("\n  " + strings.ReplaceAll(out.String(), "\n", "\n  "))
		} else {
			fmt.Print(out.String())
		}
	}
}
