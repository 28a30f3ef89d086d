// Reads a dashboard as strictly as the types of Grafana's own schema are, and tells what is wrong:
// what is missing, of another type, or unknown. It does not know which words a text may be.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func checked(content []byte) error {
	var strict, read dashboard.Dashboard
	// Without any fault it gives an empty list of them, which Go takes for an error (and which keeps
	// it from taking panels up).
	if err := strict.UnmarshalJSONStrict(content); err != nil && err.Error() != "" {
		return err
	}
	if err := json.Unmarshal(content, &read); err != nil {
		return err
	}
	if err := read.Validate(); err != nil {
		return err
	}
	// Within some fields it is not strict: what it did not take up is not there any more.
	again, err := json.Marshal(read)
	if err != nil {
		return err
	}
	var before, after any
	if err := json.Unmarshal(content, &before); err != nil {
		return err
	}
	if err := json.Unmarshal(again, &after); err != nil {
		return err
	}
	return kept("dashboard", before, after)
}

// empty is what may be left out.
func empty(value any) bool {
	switch is := value.(type) {
	case map[string]any:
		return len(is) == 0
	case []any:
		return len(is) == 0
	default:
		return value == nil || value == false || value == 0.0 || value == ""
	}
}

// kept tells of the first field that is not there afterwards.
func kept(path string, before, after any) error {
	switch was := before.(type) {
	case map[string]any:
		is, _ := after.(map[string]any)
		for name, value := range was {
			if _, ok := is[name]; !ok && !empty(value) {
				return fmt.Errorf("%s: unexpected field '%s'", path, name)
			}
			if err := kept(path+"."+name, value, is[name]); err != nil {
				return err
			}
		}
	case []any:
		is, _ := after.([]any)
		if len(is) < len(was) && after != nil {
			return fmt.Errorf("%s: %d of %d were taken up", path, len(is), len(was))
		}
		for i := range is {
			if err := kept(fmt.Sprintf("%s[%d]", path, i), was[i], is[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func main() {
	known := cog.NewRuntime()
	known.RegisterPanelcfgVariant(bargauge.VariantConfig())
	known.RegisterPanelcfgVariant(stat.VariantConfig())
	known.RegisterPanelcfgVariant(table.VariantConfig())
	known.RegisterPanelcfgVariant(timeseries.VariantConfig())
	known.RegisterDataqueryVariant(prometheus.VariantConfig())
	content, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = checked(content)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
