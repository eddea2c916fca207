"""The report of a study: tables, figures and one page, from queries of the warehouse alone. No science belongs here."""
