from django.db import migrations

import guildmark.app.records.fields


class Migration(migrations.Migration):
    dependencies = [("guildmark", "0004_share_links")]

    operations = [
        migrations.AddField(
            model_name="endorsement",
            name="signed_map",
            field=guildmark.app.records.fields.BytesField(
                default=b"", help_text="The bytes with that digest; empty where they were not kept."
            ),
        ),
    ]
