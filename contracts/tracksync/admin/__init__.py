"""Seeing and steering a served mock: the admin API under `/__tracksync/`, and the inspector, a page that uses it.

    serving(settings)      one server: workspaces by key, and the admin API beside the contract's paths
    AdminClient(url)       the admin API for Python tests

The mock tells a log of each request (`exchange_log`), and knows nothing else of this package. What a request or a
response broke is found on demand (`checking`): the oracle checks the mock, the client check its client. This
package is a layer above the commands because it uses both.
"""
