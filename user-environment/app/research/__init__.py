"""What the research app can do, without a line of Streamlit: pages in `views/` only draw it.

workspace.py   the one folder that everything happens in, and how paths stay inside it
saving.py      files written whole or not at all
survey.py      how much of what lies in the workspace
kinds.py       what a file is by its name
preview.py     the beginning of a file, as text, picture or table
tables.py      questions to CSV and Parquet files, answered by DuckDB without loading them
conditions.py  filters of such questions
figures.py     charts of the answers
person.py      who uses the environment
sample.py      a small made-up table to begin with
wording.py     sizes and times in words; names made harmless for Markdown
faults.py      what can go wrong, in sentences for the person
"""
