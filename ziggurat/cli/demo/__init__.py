"""The shipped demo: `data.fetch_demo_data` fetches a year of real groceries, `demo.run_demo` builds and shows it."""
