"""A page of the catalogue of errors: what can be wrong with a webhook that an integration bus hands on as XML.

::

    CallerError         the request is wrong; sending it again unchanged cannot help
    ├── XmlRefused              400  signed by the bus, but not of the form it may send
    └── FormsDiffer             422  the XML says something else than the JSON in it

``reason`` in the details of ``XmlRefused`` is one of the codes that ``edge_node.channels.line.xml.reader.read`` lists.
"""

from shared.errors import CallerError


class XmlRefused(CallerError):
    """The XML is not of the form that line-webhook.xsd states, or over its bounds."""

    code = "xml_refused"
    remedy = "homeport edge parse --channel line --xml FILE names the reason; the page of the form has an example."


class FormsDiffer(CallerError):
    """The XML says something else than the JSON that it encloses."""

    code = "forms_differ"
    status = 422
    remedy = "Write it as homeport edge parse --channel line --to-xml does: nothing left out, changed or re-typed."
